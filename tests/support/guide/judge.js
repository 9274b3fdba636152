// SPDX-License-Identifier: Apache-2.0
// See judge.py.
const { readFileSync } = require("node:fs");

eval(readFileSync("verify.js", "utf8"));

function said(judge, ...rest) {
  try {
    return String(judge(...rest));
  } catch (error) {
    return "error";
  }
}

for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const [secret, body, ...rest] = line.split("|").map((field) => Buffer.from(field, "base64"));
  const headers = {};
  for (let i = 0; i < rest.length; i += 2) headers[rest[i].toString().toLowerCase()] = rest[i + 1].toString("latin1");
  console.log([verify, verifyPlain].map((judge) => said(judge, secret.toString(), headers, body)).join(" "));
}
