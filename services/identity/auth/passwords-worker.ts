/**
 * A worker that hashes passwords, one at a time and after everything else that wants a core: a sign-in may take a moment longer, the
 * picture of those who watch may not.
 */
import { parentPort } from "node:worker_threads";
import { hashSync, verifySync } from "@node-rs/argon2";
import { yieldThread } from "#kernel/priority";
import { ARGON2ID } from "./domain.ts";

const NICENESS = 10;

export type ToHasher = { readonly password: string; readonly hash?: string };
/** A new hash, or whether the password was right. */
export type FromHasher = string | boolean;

if (!parentPort) throw new Error("this module runs as a worker");
const port = parentPort;
yieldThread(NICENESS);
port.on("message", ({ password, hash }: ToHasher) => {
  port.postMessage(
    (hash === undefined ? hashSync(password, ARGON2ID) : verifySync(hash, password)) satisfies FromHasher,
  );
});
