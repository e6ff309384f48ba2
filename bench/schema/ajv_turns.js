// Turns of ajv for ./dev bench schema, compiled to a module of its own (standalone): driver.c says the protocol.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const Ajv2020 = require("ajv/dist/2020").default;
const standalone = require("ajv/dist/standalone").default;
const addFormats = require("ajv-formats").default;

const BATCH = 16;
const [mode, schemaFile, ...files] = process.argv.slice(2);
const read = (file) => JSON.parse(fs.readFileSync(file, "utf8"));

function compiled() {
  const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: mode === "assert", code: { source: true, optimize: true } });
  if (mode === "assert") addFormats(ajv);
  const code = standalone(ajv, ajv.compile(read(schemaFile)));
  const file = path.join(process.env.BENCH_FOLDER, `ajv-${mode}-${path.basename(schemaFile)}.js`);
  fs.writeFileSync(file, code);
  return require(file);
}

const validate = compiled();
const instances = files.map(read);

function turn(instance, seconds) {
  const end = performance.now() + seconds * 1000;
  let count = 0;
  do {
    for (let i = 0; i < BATCH; i++) validate(instance);
    count += BATCH;
  } while (performance.now() < end);
  return count;
}

console.log(JSON.stringify(instances.map((instance) => validate(instance))));
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const [which, seconds] = JSON.parse(line);
  console.log(turn(instances[which], seconds));
});
