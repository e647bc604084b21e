import { rename, writeFile } from "node:fs/promises";
import { Auth } from "#contracts/auth";
import { Encoding } from "#contracts/encoding";
import { Keys } from "#contracts/keys";
import { Token } from "#contracts/token";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";

/** `marquee token`: an access token on standard output and nothing else, so that a script can take it. */
export async function printToken(
  cli: Cli,
  email: string,
  options: { readonly profile?: string | undefined; readonly json: boolean },
): Promise<ExitCode> {
  const { accessToken, expiresAtMs } = await cli.client
    .of(Auth)
    .issueToken({ email, profileName: options.profile ?? "" });
  const expiresAt = new Date(Number(expiresAtMs)).toISOString();
  cli.terminal.out(options.json ? JSON.stringify({ accessToken, expiresAt }) : accessToken);
  return 0;
}

export interface RotateOptions {
  readonly cat: boolean;
  readonly jwt: boolean;
  readonly content?: string | undefined;
}

/** `marquee keys rotate`: new signing keys, or a title under new content keys. What was issued before stays valid until it expires. */
export async function rotateKeys(cli: Cli, { cat, jwt, content }: RotateOptions): Promise<ExitCode> {
  if (!cat && !jwt && content === undefined) throw problem.invalid("which keys? Write --cat, --jwt or --content ID");
  if (cat) {
    const { kid } = await cli.client.of(Token).rotate({});
    cli.terminal.out(`media tokens are signed by ${kid} from now on; the previous key stays valid at the edges`);
  }
  if (jwt) {
    const { kid } = await cli.client.of(Auth).rotateKeys({});
    cli.terminal.out(
      `access tokens are signed by ${kid} from now on; the previous key is published until its last token expired`,
    );
  }
  if (content !== undefined) {
    const { packageRevision } = await cli.client.of(Encoding).repackage({ contentId: content });
    cli.terminal.out(`${content}: revision ${packageRevision} is being packaged under new keys`);
  }
  return 0;
}

/** `marquee export-cpix`: the document goes to standard output, or into a file that only this user can read. */
export async function exportCpix(
  cli: Cli,
  contentId: string,
  options: { readonly out?: string | undefined },
): Promise<ExitCode> {
  const { document } = await cli.client.of(Keys).exportCpix({ contentId });
  if (options.out === undefined) {
    cli.terminal.out(document.trimEnd());
    return 0;
  }
  const file = cli.path(options.out);
  const unfinished = `${file}.${process.pid}.part`;
  await writeFile(unfinished, document, { mode: 0o600, flag: "wx" });
  await rename(unfinished, file);
  cli.terminal.note(`${file}: holds content keys in the clear; keep it as you keep the keys`);
  return 0;
}
