// Times operations of @igniter-js/connectors: a JSON line {bench, iterations} in, {seconds} out.
// Answers are checked once, before anything is timed. The process ends when its input does.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";

import {
  IgniterConnector,
  IgniterConnectorCrypto,
  IgniterConnectorManager,
  IgniterConnectorMockAdapter,
} from "@igniter-js/connectors";
import { z } from "zod";

process.env.IGNITER_SECRET = "0123456789abcdef0123456789abcdef";

/** Encrypt and decrypt 256 characters, as the original does for each encrypted field. */
async function sealOpen() {
  const text = "0123456789abcdef".repeat(16);
  const operation = async () =>
    IgniterConnectorCrypto.decrypt(await IgniterConnectorCrypto.encrypt(text));
  assert.equal(await operation(), text);
  return operation;
}

/** One action on the mock store: one encrypted field, input and output with a schema. */
async function actionMemory() {
  const telegram = IgniterConnector.create()
    .withConfig(z.object({ botToken: z.string(), chatId: z.string() }))
    .addAction("sendMessage", {
      input: z.object({ text: z.string().min(1).max(4096) }),
      output: z.object({ messageId: z.number().int() }),
      handler: async ({ input, config }) => ({
        messageId: input.text.length + config.botToken.length,
      }),
    })
    .build();
  const connectors = IgniterConnectorManager.create()
    .withDatabase(IgniterConnectorMockAdapter.create())
    .withEncrypt(["botToken"])
    .addScope("organization", { required: true })
    .addConnector("telegram", telegram)
    .build();
  const scoped = connectors.scope("organization", "acme");
  const config = { botToken: "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw8", chatId: "42" };
  await scoped.connect("telegram", config);
  const input = { text: "hello" };
  const operation = () => scoped.action("telegram", "sendMessage").call(input);
  const { data, error } = await operation();
  assert.ifError(error);
  assert.deepEqual(data, { messageId: input.text.length + config.botToken.length });
  return operation;
}

const benches = { "seal-open-256": await sealOpen(), "action-memory": await actionMemory() };

for await (const line of createInterface({ input: process.stdin })) {
  const { bench, iterations } = JSON.parse(line);
  const operation = benches[bench];
  const started = performance.now();
  for (let done = 0; done < iterations; done += 1) await operation();
  process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - started) / 1000 })}\n`);
}
