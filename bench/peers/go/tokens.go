package main

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Who asks: the claims of a verified token.
type principal struct {
	jwt.RegisteredClaims
	Role     string   `json:"role"`
	Councils []string `json:"councils"`
	Org      string   `json:"org_id"`
	Carer    string   `json:"carer_id"`
	Client   string   `json:"client_id"`
	Scope    string   `json:"scope"`
	councils string   // as PostgreSQL's text[]
	scopes   []string
}

const remembered = 1000

// golang-jwt remembers nothing; what it verified is kept here, so that it verifies as seldom as the others.
type tokens struct {
	parser *jwt.Parser
	key    any
	mutex  sync.RWMutex
	known  map[string]*principal
}

func newTokens(c *Config) *tokens {
	return &tokens{
		parser: jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(c.Issuer), jwt.WithAudience(c.Audience),
			jwt.WithExpirationRequired()),
		key:   must(jwt.ParseRSAPublicKeyFromPEM(readFile(c.Key))),
		known: map[string]*principal{},
	}
}

func (t *tokens) verify(header string) (*principal, error) {
	text, found := strings.CutPrefix(header, "Bearer ")
	if !found {
		return nil, errors.New("this operation needs an access token")
	}
	t.mutex.RLock()
	who := t.known[text]
	t.mutex.RUnlock()
	if who != nil && time.Now().Before(who.ExpiresAt.Time) {
		return who, nil
	}
	who = &principal{}
	if _, err := t.parser.ParseWithClaims(text, who, func(*jwt.Token) (any, error) { return t.key, nil }); err != nil {
		return nil, err
	}
	who.councils = "{" + strings.Join(who.Councils, ",") + "}"
	who.scopes = strings.Fields(who.Scope)
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if len(t.known) >= remembered {
		clear(t.known)
	}
	t.known[text] = who
	return who, nil
}

func (p *principal) may(o *operation) bool {
	for _, scope := range o.scopes {
		if !slices.Contains(p.scopes, scope) {
			return false
		}
	}
	return len(o.roles) == 0 || slices.Contains(o.roles, p.Role)
}
