/**
 * The speed of Common Access Tokens beside the bare cryptography they need, in the same run and in turn.
 * Bars: issuing at least 80 % of crypto.sign, validating at least 80 % of crypto.verify. `openssl speed` stands beside.
 *
 *   node bench/cat.ts
 */
import { execFile } from "node:child_process";
import { generateKeyPairSync, sign as signBytes, verify as verifyBytes } from "node:crypto";
import { promisify } from "node:util";
import { type CatClaims, type CatRequest, parseNetwork, tokenIssuer, validate } from "#media/cat";
import { COSE_ALGORITHMS, decodeMessage, toBeSigned } from "#media/cose";
import { nodeSigner, nodeVerifier } from "#media/cose/node";
import { type Measure, median, table, writeResults } from "./harness.ts";

const ROUNDS = 21;
const OPERATIONS = 400;
const NOW_S = 1_795_000_000;

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const kid = Buffer.from("cat-2026-w47");
const algorithm = COSE_ALGORITHMS.ES256;
const issue = tokenIssuer({ kid, sign: nodeSigner({ kid, algorithm, key: privateKey }) });
const verify = nodeVerifier([{ kid, algorithm, key: publicKey }]);

/** The token that playback uses: one edge, one title, the network of the client, renewal by the edge. */
const CLAIMS: CatClaims = {
  iss: "marquee",
  sub: "u_7Qm1x0pW9vK2",
  exp: NOW_S + 300,
  iat: NOW_S,
  cti: Uint8Array.from({ length: 16 }, (_, index) => index),
  catnip: [parseNetwork("192.0.2.0/24")],
  catu: new Map([
    ["host", { exact: "edge-a.example" }],
    ["port", { exact: "8443" }],
    ["path", { prefix: "/vod/0f8fad5b-d9cb-469f-a165-70867728950e/" }],
  ]),
  catr: { type: "automatic", expaddS: 300, deadlineS: 60 },
  sid: "0196f1c2-5a3e-7d1b-9f00-3b1c8d2e4f5a",
  cid: "0f8fad5b-d9cb-469f-a165-70867728950e",
};
const REQUEST: CatRequest = {
  method: "GET",
  url: {
    scheme: "https",
    host: "edge-a.example",
    port: 8443,
    path: "/vod/0f8fad5b-d9cb-469f-a165-70867728950e/v1/1.m4s",
  },
  ip: "192.0.2.77",
};

async function perSecond(operation: () => unknown): Promise<number> {
  const startMs = performance.now();
  for (let index = 0; index < OPERATIONS; index += 1) await operation();
  return OPERATIONS / ((performance.now() - startMs) / 1000);
}

type Contender = "bareSign" | "issue" | "bareVerify" | "validate";

/** Each contender in turn, so that what disturbs the machine disturbs them alike; the first round is thrown away. */
async function interleave(contenders: Record<Contender, () => Promise<number>>): Promise<Record<Contender, number[]>> {
  const samples: Record<Contender, number[]> = { bareSign: [], issue: [], bareVerify: [], validate: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const name of ["bareSign", "issue", "bareVerify", "validate"] as const) {
      const rate = await contenders[name]();
      if (round > 0) samples[name].push(rate);
    }
  }
  return samples;
}

/** The rates of the openssl program, whose machine-readable line is `+F4:index:bits:signs a second:verifies a second`. */
async function opensslSpeed(): Promise<Measure[]> {
  try {
    const args = ["speed", "-mr", "-seconds", "1", "ecdsap256"];
    const { stdout } = await promisify(execFile)("openssl", args, { timeout: 30_000 });
    const fields =
      stdout
        .split("\n")
        .find((line) => line.startsWith("+F4:"))
        ?.split(":") ?? [];
    return ["sign", "verify"].map((name, index) => {
      const value = Number(fields[index + 3]);
      return { name: `cat.openssl.${name}`, value, unit: "1/s", bar: null, samples: [value] };
    });
  } catch (error) {
    process.stdout.write(`openssl speed did not run (${String(error)}); its numbers are left out\n`);
    return [];
  }
}

export async function run(): Promise<void> {
  const token = await issue(CLAIMS);
  const message = decodeMessage(new Uint8Array(Buffer.from(token, "base64url")));
  const payload = message.payload ?? new Uint8Array();
  const signed = toBeSigned("sign1", message.protectedBytes, payload);
  const { signature } = message;
  const options = { verify, nowS: NOW_S + 1, issuer: "marquee" };
  const verdict = await validate(token, REQUEST, options);
  if (!verdict.ok) throw new Error(`the token was refused: ${verdict.reason}`);
  const signKey = { key: privateKey, dsaEncoding: "ieee-p1363" } as const;
  const verifyKey = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;

  const samples = await interleave({
    bareSign: () => perSecond(() => signBytes("sha256", signed, signKey)),
    issue: () => perSecond(() => issue(CLAIMS)),
    bareVerify: () => perSecond(() => verifyBytes("sha256", signed, verifyKey, signature)),
    validate: () => perSecond(() => validate(token, REQUEST, options)),
  });
  const rate = (name: string, values: readonly number[]): Measure => ({
    name,
    value: median(values),
    unit: "1/s",
    bar: null,
    samples: values,
  });
  // Each round's ratio is of neighbours in time; their median forgives what disturbed one round.
  const ratio = (name: string, over: readonly number[], under: readonly number[]): Measure => {
    const values = over.map((value, index) => value / (under[index] ?? Number.NaN));
    return { name, value: median(values), unit: "ratio", bar: 0.8, samples: values };
  };
  const measures: Measure[] = [
    rate("cat.crypto.sign", samples.bareSign),
    rate("cat.issue", samples.issue),
    ratio("cat.issue.ratio", samples.issue, samples.bareSign),
    rate("cat.crypto.verify", samples.bareVerify),
    rate("cat.validate", samples.validate),
    ratio("cat.validate.ratio", samples.validate, samples.bareVerify),
    {
      name: "cat.token",
      value: token.length,
      unit: "characters",
      bar: 600,
      better: "lower" as const,
      samples: [token.length],
    },
    ...(await opensslSpeed()),
  ];
  process.stdout.write(`${table(measures)}\n`);
  await writeResults("cat", measures);
}

if (import.meta.main) await run();
