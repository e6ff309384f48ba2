// The four operations of ./dev bench peers, as they are usually written with net/http and pgx: one process, a goroutine a request.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
)

// Config is what bench/peers.py writes for every peer.
type Config struct {
	Port       int               `json:"port"`
	Socket     string            `json:"socket"`
	User       string            `json:"user"`
	Database   string            `json:"database"`
	Options    string            `json:"options"`
	Sessions   int32             `json:"sessions"`
	Contract   string            `json:"contract"`
	Key        string            `json:"key"`
	Issuer     string            `json:"issuer"`
	Audience   string            `json:"audience"`
	Classes    map[string]string `json:"classes"`
	Statements map[string]string `json:"statements"`
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func readJSON(path string, into any) {
	if err := json.Unmarshal(must(os.ReadFile(path)), into); err != nil {
		log.Fatal(path, ": ", err)
	}
}

func main() {
	var config Config
	readJSON(os.Getenv("PEER_CONFIG"), &config)
	contract := loadContract(config.Contract)
	s := &server{
		store:    openStore(&config),
		tokens:   newTokens(&config),
		contract: contract,
		carer:    contract.schema("CarerCreate"),
		search:   contract.schema("DirectorySearch"),
	}
	mux := http.NewServeMux()
	s.route(mux, "GET", "/v1/carers/{carer_id}", s.getCarer)
	s.route(mux, "GET", "/v1/carers", s.listCarers)
	s.route(mux, "POST", "/v1/carers", s.createCarer)
	s.route(mux, "POST", "/v1/directory/search", s.searchDirectory)
	log.Fatal(http.ListenAndServe(address(config.Port), mux))
}
