package main

import (
	"bytes"
	"errors"
	"log"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The contract: the schemas that bodies are validated with, and who may ask what.
type contract struct {
	document map[string]any
	compiler *jsonschema.Compiler
}

type operation struct {
	scopes, roles []string
	parameters    map[string]*jsonschema.Schema // of the query
}

func readFile(path string) []byte { return must(os.ReadFile(path)) }

func matches(name, pattern string) *jsonschema.Format {
	compiled := regexp.MustCompile(pattern)
	return &jsonschema.Format{Name: name, Validate: func(value any) error {
		if text, isText := value.(string); isText && !compiled.MatchString(text) {
			return errors.New("does not match " + pattern)
		}
		return nil
	}}
}

var errNotNHS = errors.New("is no NHS number")

func nhsNumber(value any) error {
	text, isText := value.(string)
	if !isText {
		return nil
	}
	sum := 0
	for at, digit := range text {
		if len(text) != 10 || digit < '0' || digit > '9' {
			return errNotNHS
		}
		if at < 9 {
			sum += int(digit-'0') * (10 - at)
		}
	}
	if len(text) != 10 || (11-sum%11)%11 != int(text[9]-'0') {
		return errNotNHS
	}
	return nil
}

func loadContract(path string) *contract {
	document := must(jsonschema.UnmarshalJSON(bytes.NewReader(readFile(path))))
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.RegisterFormat(matches("gss-code", "^[A-Z][0-9]{8}$"))
	compiler.RegisterFormat(matches("language", "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"))
	compiler.RegisterFormat(&jsonschema.Format{Name: "nhs-number", Validate: nhsNumber})
	if err := compiler.AddResource("urn:contract", document); err != nil {
		log.Fatal(err)
	}
	return &contract{document.(map[string]any), compiler}
}

func (c *contract) at(pointer string) any {
	here := any(c.document)
	for _, step := range strings.Split(pointer, "/")[1:] {
		here = here.(map[string]any)[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	return here
}

func (c *contract) compile(pointer string) *jsonschema.Schema {
	return must(c.compiler.Compile("urn:contract#" + pointer))
}

func (c *contract) schema(name string) *jsonschema.Schema {
	return c.compile("/components/schemas/" + name)
}

func words(value any) []string {
	list, _ := value.([]any)
	found := []string{}
	for _, one := range list {
		found = append(found, one.(string))
	}
	return found
}

func (c *contract) operation(method, path string) *operation {
	pointer := "/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + strings.ToLower(method)
	node := c.at(pointer).(map[string]any)
	security := node["security"].([]any)
	found := &operation{words(security[len(security)-1].(map[string]any)["token"]), words(node["x-roles"]), map[string]*jsonschema.Schema{}}
	parameters, _ := node["parameters"].([]any)
	for number := range parameters {
		where := pointer + "/parameters/" + strconv.Itoa(number)
		parameter := parameters[number].(map[string]any)
		if ref, isRef := parameter["$ref"].(string); isRef {
			where = strings.TrimPrefix(ref, "#")
			parameter = c.at(where).(map[string]any)
		}
		if parameter["in"] == "query" {
			found.parameters[parameter["name"].(string)] = c.compile(where + "/schema")
		}
	}
	return found
}
