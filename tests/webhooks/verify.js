// Reads a JSON array of {secret, headers, body} from standard input; writes "verified" or what is wrong for each, a line each.
const { Webhook } = require("standardwebhooks");

const messages = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const { secret, headers, body } of messages) {
  try {
    new Webhook(secret).verify(body, headers);
    console.log("verified");
  } catch (fault) {
    console.log(fault.message);
  }
}
