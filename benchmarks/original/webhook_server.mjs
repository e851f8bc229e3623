// Receives signed webhooks with @igniter-js/connectors on the mock store that it ships.
//
// `node webhook_server.mjs CONNECTIONS PAYLOAD` serves on a free port of loopback until its standard
// input closes, and prints one JSON line: the port, the path to post to, the signing key. PAYLOAD
// is the JSON that each delivery is to carry. `GET /handled/N` answers 200 once N events have been
// handled: the original runs the handler before it answers, so nothing is waited for.
//
// Where there are many connections, the one posted to is in the middle of them: the original looks
// at one after another until it comes to the right one, so this is what it costs on average.
import assert from "node:assert/strict";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

import {
  IgniterConnector,
  IgniterConnectorManager,
  IgniterConnectorMockAdapter,
} from "@igniter-js/connectors";
import { z } from "zod";

process.env.IGNITER_SECRET = "0123456789abcdef0123456789abcdef";

const TOLERANCE_SECONDS = 300;

const connectionCount = Number(process.argv[2]);
const expected = JSON.parse(process.argv[3]);
const signingKey = randomBytes(32).toString("base64");
let handled = 0;

/** Standard Webhooks. The original has parsed the body and dropped its bytes, so they are made
 * again: they come out the same where the sender wrote its JSON as `JSON.stringify` does. */
function verify({ headers, body }, config) {
  const sentAt = headers.get("webhook-timestamp") ?? "";
  if (!/^\d+$/.test(sentAt) || Math.abs(Date.now() / 1000 - Number(sentAt)) > TOLERANCE_SECONDS) {
    return false;
  }
  const digest = createHmac("sha256", Buffer.from(config.signingKey, "base64"))
    .update(`${headers.get("webhook-id")}.${sentAt}.${JSON.stringify(body)}`)
    .digest("base64");
  const wanted = Buffer.from(`v1,${digest}`);
  return (headers.get("webhook-signature") ?? "").split(" ").some((signature) => {
    const given = Buffer.from(signature);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

const invoices = IgniterConnector.create()
  .withConfig(z.object({ apiKey: z.string(), signingKey: z.string() }))
  .withWebhook({
    schema: z.object({
      type: z.string(),
      invoice: z.string(),
      amount_cents: z.number().int(),
      currency: z.string(),
      customer: z.string(),
    }),
    verify,
    handler: async ({ payload }) => {
      assert.deepEqual(payload, expected);
      handled += 1;
    },
  })
  .build();

const connectors = IgniterConnectorManager.create()
  .withDatabase(IgniterConnectorMockAdapter.create())
  .withEncrypt(["apiKey", "signingKey"])
  .addScope("organization", { required: true })
  .addConnector("invoices", invoices)
  .build();

function bodyOf(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
  });
}

/** The status of one request. What fails is thrown by the original, a bad signature too. */
async function statusOf(request) {
  const { method, url, headers } = request;
  if (url.startsWith("/handled/")) return handled >= Number(url.slice(9)) ? 200 : 409;
  try {
    const body = await bodyOf(request);
    const asked = new Request(`http://127.0.0.1${url}`, { method, headers, body });
    return (await connectors.handle("webhook", asked)).status;
  } catch {
    return 400;
  }
}

for (let number = 0; number < connectionCount; number += 1) {
  const scoped = connectors.scope("organization", `acme-${number}`);
  await scoped.connect("invoices", { apiKey: "api-key", signingKey });
}
const middle = connectors.scope("organization", `acme-${Math.floor(connectionCount / 2)}`);
const { webhook } = await middle.get("invoices");

const server = createServer(async (request, response) => {
  response.writeHead(await statusOf(request), { "content-length": 0 }).end();
});
// Its clients keep connections open while the other side has its turn.
Object.assign(server, { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 });
server.listen(0, "127.0.0.1", () => {
  const path = `/api/v1/connectors/invoices/webhook/${webhook.secret}`;
  const told = { port: server.address().port, path, signing_key: signingKey };
  process.stdout.write(`${JSON.stringify(told)}\n`);
});
process.stdin.on("end", () => process.exit()).resume();
