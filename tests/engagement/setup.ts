// What the tests of engagement share: a push service that opens what it is sent, as a browser would.
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { openServer } from "../playback/setup.ts";

const hkdf = (salt: Buffer, secret: Buffer, info: Buffer, bytes: number) =>
  Buffer.from(hkdfSync("sha256", secret, salt, info, bytes));

/** A browser's keys, and what it reads of a body (RFC 8291, section 3.4). */
export function openReceiver() {
  const ecdh = createECDH("prime256v1");
  const publicKey = ecdh.generateKeys();
  const auth = randomBytes(16);
  return {
    p256dh: publicKey.toString("base64url"),
    auth: auth.toString("base64url"),
    open(body: Buffer): unknown {
      const [salt, theirs] = [body.subarray(0, 16), body.subarray(21, 86)];
      const info = Buffer.concat([Buffer.from("WebPush: info\0"), publicKey, theirs]);
      const secret = hkdf(auth, ecdh.computeSecret(theirs), info, 32);
      const key = hkdf(salt, secret, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
      const nonce = hkdf(salt, secret, Buffer.from("Content-Encoding: nonce\0"), 12);
      const decipher = createDecipheriv("aes-128-gcm", key, nonce, { authTagLength: 16 });
      decipher.setAuthTag(body.subarray(-16));
      const plain = Buffer.concat([decipher.update(body.subarray(86, -16)), decipher.final()]);
      return JSON.parse(plain.subarray(0, plain.lastIndexOf(2)).toString());
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A push service that answers with the statuses it is told, in turn, and 201 after them. */
export async function openPushService() {
  const statuses: number[] = [];
  const pushes: { readonly path: string; readonly topic: string; readonly ttl: number; readonly body: Buffer }[] = [];
  const server = await openServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { topic, ttl } = request.headers;
      pushes.push({ path: request.url ?? "", topic: String(topic), ttl: Number(ttl), body });
      response.writeHead(statuses.shift() ?? 201).end();
    });
  });
  return { ...server, host: new URL(server.baseUrl).host, statuses, pushes };
}
