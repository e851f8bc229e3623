// Signs what stands on stdin, a JSON array of requests, and writes a JSON array of answers.
import { createPrivateKey, createPublicKey, sign as signWith } from "node:crypto";
import { readFileSync } from "node:fs";
import { sign, verify } from "@octokit/webhooks-methods";

const answer = {
  "github-sign": ({ secret, body }) => sign(secret, body),
  "github-verify": async ({ secret, body, signature }) =>
    String(await verify(secret, body, signature)),
  // A PKCS #8 key in PEM; the signature in base64, as Standard Webhooks has it.
  "ed25519-sign": ({ secret, body }) =>
    signWith(null, Buffer.from(body), createPrivateKey(secret)).toString("base64"),
  "ed25519-public": ({ secret }) =>
    Buffer.from(
      createPublicKey(createPrivateKey(secret)).export({ format: "jwk" }).x,
      "base64url",
    ).toString("base64"),
};

const requests = JSON.parse(readFileSync(0, "utf8"));
const answers = [];
for (const request of requests) answers.push(await answer[request.kind](request));
process.stdout.write(JSON.stringify(answers));
