import { createTransport } from "nodemailer";
import { problem } from "#kernel/errors";
import type { Mail } from "#kernel/ports/mail";
import { assertMessage } from "./message.ts";

export interface SmtpOptions {
  /** `smtps://user:password@host` or `smtp://user:password@host:587`. Carries a secret: never log it. */
  readonly url: string;
  /** `Marquee <hello@example.org>` */
  readonly from: string;
}

const TIMEOUT_MS = 15_000;

/** Mail through an SMTP server (RFC 5321). Off this machine only over TLS: messages carry links that reset passwords. */
export function openSmtpMail(options: SmtpOptions): Mail {
  if (!URL.canParse(options.url))
    throw problem.invalid("the mail server's URL is not a URL: write smtps://user:password@host");
  const url = new URL(options.url);
  if (url.protocol !== "smtp:" && url.protocol !== "smtps:")
    throw problem.invalid(`the mail server's URL begins with '${url.protocol}': write smtps://user:password@host`);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  const secure = url.protocol === "smtps:";
  const transport = createTransport({
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS: !secure && !isLocal,
    ...(url.username === ""
      ? {}
      : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  return {
    async send(message) {
      assertMessage(message);
      const { to, subject, text, html } = message;
      try {
        await transport.sendMail({ from: options.from, to, subject, text, ...(html === undefined ? {} : { html }) });
      } catch (error) {
        throw sendProblem(url.host, error);
      }
    },
    // Nothing is kept here.
    async erase() {},
    async state() {
      try {
        await transport.verify();
        return { ok: true, detail: `SMTP server ${url.host}` };
      } catch (error) {
        return { ok: false, detail: `SMTP server ${url.host}: ${sendProblem(url.host, error).message}` };
      }
    },
  };
}

/** The server's answer decides whether a retry can help: 4xx later, 5xx never (RFC 5321 section 4.2.1). Causes are dropped, because they quote the conversation. */
function sendProblem(host: string, error: unknown): Error {
  const responseCode =
    error instanceof Error && "responseCode" in error && typeof error.responseCode === "number"
      ? error.responseCode
      : 0;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EAUTH")
    return problem.precondition(
      `the mail server ${host} does not accept our name and password: correct them in the configuration`,
    );
  if (code === "EENVELOPE" && responseCode >= 500)
    return problem.invalid(`the mail server ${host} refuses the recipient (${responseCode})`, {
      reason: "mail_recipient",
    });
  if (responseCode >= 500) return problem.precondition(`the mail server ${host} refuses the message (${responseCode})`);
  return problem.unavailable(
    `the mail server ${host} did not take the message (${responseCode > 0 ? responseCode : code || "no answer"}): is it reachable, and does it speak TLS?`,
  );
}
