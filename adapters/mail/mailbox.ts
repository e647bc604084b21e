import { randomUUID } from "node:crypto";
import { access, constants, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createTransport } from "nodemailer";
import type { Mail } from "#kernel/ports/mail";
import { assertMessage } from "./message.ts";

export interface MailboxOptions {
  readonly folder: string;
  readonly from: string;
  /** The oldest messages go when there are more. 200 unless said otherwise. */
  readonly messagesMax?: number;
  log?(line: string): void;
}

/** For development: every message becomes an .eml file that a mail program opens, and nothing leaves the machine. */
export async function openMailbox(options: MailboxOptions): Promise<Mail> {
  const folder = resolve(options.folder);
  // Messages carry links that reset passwords.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const messagesMax = options.messagesMax ?? 200;
  const composer = createTransport({ streamTransport: true, buffer: true, newline: "windows" });
  let sent = 0;

  return {
    async send(message) {
      assertMessage(message);
      const { to, subject, text, html } = message;
      const composed = await composer.sendMail({
        from: options.from,
        to,
        subject,
        text,
        ...(html === undefined ? {} : { html }),
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      // Names sort by time, and by order within a millisecond.
      sent += 1;
      const name = `${new Date().toISOString().replaceAll(":", "-")}-${String(sent).padStart(6, "0")}-${randomUUID().slice(0, 8)}.eml`;
      const draft = join(folder, `${name}.draft`);
      await writeFile(draft, composed.message, { mode: 0o600, flag: "wx", flush: true });
      await rename(draft, join(folder, name));
      options.log?.(`a mail to ${to.replace(/^.+@/, "…@")} lies in ${join(folder, name)}`);
      const names = (await readdir(folder)).filter((file) => file.endsWith(".eml")).sort();
      for (const old of names.slice(0, Math.max(0, names.length - messagesMax)))
        await rm(join(folder, old), { force: true });
    },
    async erase(address) {
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        // One that was just dropped for its age is gone too.
        const message = await readFile(path, "utf8").catch(() => "");
        if (recipientOf(message) === address) await rm(path, { force: true });
      }
    },
    async state() {
      try {
        await access(folder, constants.W_OK);
        return { ok: true, detail: `mailbox in ${folder} (development: nothing is sent)` };
      } catch {
        return { ok: false, detail: `mailbox: ${folder} cannot be written to` };
      }
    },
  };
}

/** As `send` wrote it: one address alone, in a header of its own. */
const recipientOf = (message: string): string | undefined => /^To: <?([^\r\n>]+)>?\r?$/m.exec(message)?.[1];
