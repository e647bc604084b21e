/**
 * `npm run new-service -- AREA NAME`: writes a room (services/AREA/NAME) and its contract (contracts/NAME) that compile,
 * are tested and keep every rule: a small register of things, to be turned into what the service is for.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { REPOSITORY } from "./files.ts";
import { formatted, writeGenerated } from "./generate.ts";
import { roomFiles } from "./new-service-template.ts";

/** The areas of the blueprint; a service that fits none of them is a decision for an ADR, not for a script. */
const AREAS = ["identity", "content", "playback", "discovery", "delivery", "engagement", "insight"];
/** The name becomes a schema, a role and a package: a word. */
const NAME = /^[a-z][a-z0-9]{1,30}$/;

export class Refusal extends Error {
  override readonly name = "Refusal";
}

/**
 * Writes the room under `root` and generates its code.
 * @returns the files that were written, from the root
 * @throws Refusal for a bad name, or one that is taken; nothing is written then
 */
export async function newService(root: string, area: string, name: string): Promise<string[]> {
  if (!AREAS.includes(area)) throw new Refusal(`'${area}' is not an area; there are: ${AREAS.join(", ")}`);
  if (!NAME.test(name))
    throw new Refusal(`'${name}' is not a name for a service: one word of small letters, such as 'bookmark'`);
  const taken = [`contracts/${name}`, ...AREAS.map((each) => `services/${each}/${name}`)].find((folder) =>
    existsSync(path.join(root, folder)),
  );
  if (taken) throw new Refusal(`'${name}' is taken: there is ${taken}`);

  const files = roomFiles(area, name);
  const staging = path.join(root, ".cache", `new-service-${process.pid}`);
  try {
    for (const [file, text] of files) {
      // Names have different lengths, so where a line breaks is known only now.
      write(path.join(staging, file), file.endsWith(".ts") ? await formatted(file, text) : text);
    }
    for (const folder of [`contracts/${name}`, `services/${area}/${name}`]) {
      mkdirSync(path.dirname(path.join(root, folder)), { recursive: true });
      renameSync(path.join(staging, folder), path.join(root, folder));
    }
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  const generated = await writeGenerated(root);
  return [...files.keys(), ...generated].sort();
}

function write(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

if (import.meta.main) {
  const [area, name] = process.argv.slice(2);
  try {
    if (area === undefined || name === undefined)
      throw new Refusal("two words are needed: npm run new-service -- AREA NAME");
    for (const file of await newService(REPOSITORY, area, name)) console.log(file);
    console.log(`
What is left for you:
  contracts/topics/index.ts        "${name}.changed": { topic: …, key: "itemId" }: which topic its events go to
  apps/                      add services/${area}/${name}/service.ts to the services of the product
  services/${area}/${name}   its rules, its SLO, its role in P1 (ai), its tests
  npm run check              says what else is missing`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
