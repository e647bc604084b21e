import { User } from "#contracts/user";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { confirm, plain } from "./terminal.ts";

/** `marquee users delete`: an account, and with it everything that is kept of its person. */
export async function deleteUsers(
  cli: Cli,
  emails: readonly string[],
  { yes, json }: { readonly yes: boolean; readonly json: boolean },
): Promise<ExitCode> {
  const users = cli.client.of(User);
  for (const email of emails) {
    const { user } = await users.findByEmail({ email });
    if (!user) throw problem.internal("the accounts answered without the account");
    const name = plain(user.email);
    if (
      !yes &&
      !(await confirm(cli.terminal, `Delete the account ${name} and everything kept of its person for good? [y/N] `))
    ) {
      cli.terminal.note(`${name} stays`);
      continue;
    }
    await users.delete({ userId: user.id });
    if (json) cli.terminal.out(JSON.stringify({ email: user.email, userId: user.id, deleted: true }));
    else
      cli.terminal.out(
        `${name} is deleted; what is kept of its person goes within minutes, late traces within an hour`,
      );
  }
  return 0;
}
