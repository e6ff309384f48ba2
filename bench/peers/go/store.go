package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The database: BEGIN, the claims, the statements and COMMIT in one batch, which is one round trip; pgx prepares each once a connection.
type store struct {
	pool       *pgxpool.Pool
	classes    map[string]string
	statements map[string]string
}

type statement struct {
	name string
	args []any
}

type answer struct {
	found   bool
	body    []byte
	version int64
}

func openStore(c *Config) *store {
	pool := must(pgxpool.ParseConfig(fmt.Sprintf("host=%s user=%s dbname=%s", c.Socket, c.User, c.Database)))
	pool.MaxConns = c.Sessions
	pool.ConnConfig.RuntimeParams["options"] = c.Options
	return &store{must(pgxpool.NewWithConfig(context.Background(), pool)), c.Classes, c.Statements}
}

func (s *store) claims(who *principal, operation, target string) []any {
	return []any{s.classes[who.Role], who.Role, who.councils, who.Org, who.Carer, who.Subject, who.Client, operation,
		uuid.NewString(), target, ""}
}

// What the last statement answers, after the commit. `versioned`: its second column is the version.
func (s *store) transact(ctx context.Context, kind string, claims []any, versioned bool, statements ...statement) (*answer, error) {
	batch := &pgx.Batch{}
	batch.Queue(s.statements["begin"])
	batch.Queue(s.statements[kind], claims...)
	for _, one := range statements {
		batch.Queue(s.statements[one.name], one.args...)
	}
	batch.Queue(s.statements["commit"])
	results := s.pool.SendBatch(ctx, batch)
	got, err := read(results, len(statements)+1, versioned)
	if err != nil {
		_ = results.Close()
		return nil, err
	}
	return got, results.Close()
}

func read(results pgx.BatchResults, before int, versioned bool) (*answer, error) {
	for range before {
		if _, err := results.Exec(); err != nil {
			return nil, err
		}
	}
	rows, err := results.Query()
	if err != nil {
		return nil, err
	}
	got := &answer{}
	for rows.Next() {
		got.found = true
		values := []any{&got.body}
		if versioned {
			values = append(values, &got.version)
		}
		for len(values) < len(rows.FieldDescriptions()) {
			values = append(values, nil)
		}
		if err := rows.Scan(values...); err != nil {
			rows.Close()
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	tag, err := results.Exec()
	if err == nil && tag.String() != "COMMIT" {
		err = errors.New("the transaction was not committed")
	}
	return got, err
}

func address(port int) string {
	if port == 0 {
		log.Fatal("the configuration has no port")
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}
