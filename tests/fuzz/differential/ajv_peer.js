// ajv in the differential run: a line in, {"schema": S, "instances": [...]}; a line out, its verdicts or {"error": "why"}.
"use strict";
const readline = require("node:readline");
const Ajv2020 = require("ajv/dist/2020").default;

const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false });

function verdict(validate, instance) {
  try {
    return validate(instance);
  } catch (error) {
    return `error: ${error.message}`;
  }
}

function answer(line) {
  try {
    const { schema, instances } = JSON.parse(line);
    const validate = ajv.compile(schema);
    return instances.map((instance) => verdict(validate, instance));
  } catch (error) {
    return { error: error.message };
  } finally {
    ajv.removeSchema(); // all but the metaschemas, so that each question stands alone
  }
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(JSON.stringify(answer(line)) + "\n");
});
