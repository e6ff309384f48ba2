# ./dev import: import into the database of a data folder.
# shellcheck shell=bash
data_option "$@"
settings_of "$data"
exec build-release/carers-api import --settings "$data/service.env" "${rest[@]}"
