/* Every family that the service offers. */
#pragma once

#include "call/operation.h"

extern const struct module module_access;
extern const struct module module_assessment_lists;
extern const struct module module_assessments;
extern const struct module module_audit;
extern const struct module module_bank_holidays;
extern const struct module module_break_actions;
extern const struct module module_break_contracts;
extern const struct module module_break_report;
extern const struct module module_break_schemes;
extern const struct module module_break_series;
extern const struct module module_break_sessions;
extern const struct module module_breaks;
extern const struct module module_carers;
extern const struct module module_changes;
extern const struct module module_consents;
extern const struct module module_contacts;
extern const struct module module_contingency;
extern const struct module module_council_settings;
extern const struct module module_demographics;
extern const struct module module_directory_champions;
extern const struct module module_directory_events;
extern const struct module module_directory_export;
extern const struct module module_directory_leaflets;
extern const struct module module_directory_organisations;
extern const struct module module_directory_proposals;
extern const struct module module_directory_search;
extern const struct module module_directory_services;
extern const struct module module_docs;
extern const struct module module_funding;
extern const struct module module_funding_report;
extern const struct module module_funding_schemes;
extern const struct module module_imports;
extern const struct module module_instruments;
extern const struct module module_oruk;
extern const struct module module_outcomes;
extern const struct module module_passports;
extern const struct module module_platform;
extern const struct module module_referral_actions;
extern const struct module module_referral_reports;
extern const struct module module_referral_routes;
extern const struct module module_referrals;
extern const struct module module_reports;
extern const struct module module_results;
extern const struct module module_timeline;
extern const struct module module_triage;
extern const struct module module_webhook_deliveries;
extern const struct module module_webhooks;

extern const struct module *const modules[]; /* ends in NULL */
