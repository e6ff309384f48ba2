package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

type server struct {
	store         *store
	tokens        *tokens
	contract      *contract
	carer, search *jsonschema.Schema
}

const bodyLimit = 1 << 20

type handler func(w http.ResponseWriter, r *http.Request, who *principal, query map[string]any)

func refuse(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "title": title})
}

func failed(w http.ResponseWriter, err error) {
	log.Print(err)
	refuse(w, http.StatusInternalServerError, "the request failed")
}

// PostgreSQL makes the JSON, as for the service; it is passed on as it is.
func reply(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// What a text of a URL is in JSON: a number, true, false, or itself.
func value(text string) any {
	if decoded, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text))); err == nil {
		switch decoded.(type) {
		case json.Number, bool:
			return decoded
		}
	}
	return text
}

// The parameters of the query, each validated; false: one is not good.
func (o *operation) query(values url.Values) (map[string]any, bool) {
	found := map[string]any{}
	for name, texts := range values {
		schema := o.parameters[name]
		found[name] = value(texts[0])
		if schema == nil || len(texts) > 1 || schema.Validate(found[name]) != nil {
			return nil, false
		}
	}
	return found, true
}

func (s *server) route(mux *http.ServeMux, method, path string, handle handler) {
	o := s.contract.operation(method, path)
	mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, r *http.Request) {
		who, err := s.tokens.verify(r.Header.Get("Authorization"))
		if err != nil {
			refuse(w, http.StatusUnauthorized, err.Error())
			return
		}
		if !who.may(o) {
			refuse(w, http.StatusForbidden, "this operation is not for this token")
			return
		}
		query, good := o.query(r.URL.Query())
		if !good {
			refuse(w, http.StatusBadRequest, "a parameter is not good")
			return
		}
		handle(w, r, who, query)
	})
}

// The body as it came, once it is known to be valid; nil: it was refused.
func (s *server) body(w http.ResponseWriter, r *http.Request, schema *jsonschema.Schema) []byte {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, err.Error())
		return nil
	}
	decoded, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return nil
	}
	if err := schema.Validate(decoded); err != nil {
		refuse(w, http.StatusUnprocessableEntity, err.Error())
		return nil
	}
	return text
}

func (s *server) getCarer(w http.ResponseWriter, r *http.Request, who *principal, _ map[string]any) {
	id, err := uuid.Parse(r.PathValue("carer_id"))
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	got, err := s.store.transact(r.Context(), "claims_noted", s.store.claims(who, "getCarer", id.String()), true,
		statement{"carer_read", []any{id.String()}})
	if err != nil {
		failed(w, err)
		return
	}
	if !got.found {
		refuse(w, http.StatusNotFound, "no carer has this id")
		return
	}
	w.Header().Set("ETag", `"v`+strconv.FormatInt(got.version, 10)+`"`)
	reply(w, http.StatusOK, got.body)
}

func (s *server) listCarers(w http.ResponseWriter, r *http.Request, who *principal, q map[string]any) {
	limit := int64(50)
	if number, given := q["limit"].(json.Number); given {
		limit, _ = number.Int64()
	}
	got, err := s.store.transact(r.Context(), "claims_noted", s.store.claims(who, "listCarers", ""), false,
		statement{"carers_of_councils", []any{limit, q["cursor"], q["council"], q["state"], q["source"], q["known_to_social_care"]}})
	if err != nil {
		failed(w, err)
		return
	}
	reply(w, http.StatusOK, got.body)
}

func (s *server) createCarer(w http.ResponseWriter, r *http.Request, who *principal, q map[string]any) {
	body := s.body(w, r, s.carer)
	if body == nil {
		return
	}
	made, err := uuid.NewV7()
	if err != nil {
		failed(w, err)
		return
	}
	id := made.String()
	got, err := s.store.transact(r.Context(), "claims", s.store.claims(who, "createCarer", ""), true,
		statement{"carer_insert", []any{id, string(body), q["allow_duplicate"]}}, statement{"carer_by_id", []any{id}})
	if err != nil {
		failed(w, err)
		return
	}
	w.Header().Set("Location", "/v1/carers/"+id)
	w.Header().Set("ETag", `"v`+strconv.FormatInt(got.version, 10)+`"`)
	reply(w, http.StatusCreated, got.body)
}

func (s *server) searchDirectory(w http.ResponseWriter, r *http.Request, who *principal, _ map[string]any) {
	body := s.body(w, r, s.search)
	if body == nil {
		return
	}
	got, err := s.store.transact(r.Context(), "claims_noted", s.store.claims(who, "searchServicesPrivately", ""), false,
		statement{"services_search", []any{string(body)}})
	if err != nil {
		failed(w, err)
		return
	}
	reply(w, http.StatusOK, got.body)
}
