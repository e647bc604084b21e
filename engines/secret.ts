import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A password of an engine's own, made once and kept in its data folder, so that no other user of this machine gets in. */
export function engineSecret(data: string): string {
  mkdirSync(data, { recursive: true });
  const path = join(data, "secret");
  try {
    writeFileSync(path, randomBytes(20).toString("hex"), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return readFileSync(path, "utf8").trim();
}
