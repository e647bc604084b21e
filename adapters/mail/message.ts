import { problem } from "#kernel/errors";
import type { MailMessage } from "#kernel/ports/mail";

const ADDRESS_CHARACTERS_MAX = 254;
const SUBJECT_CHARACTERS_MAX = 300;
const BODY_CHARACTERS_MAX = 512 * 1024;

/**
 * Refuses what must not reach a mail server. A line break in an address or a subject would add headers of somebody else's
 * choice, and a comma, an angle bracket or a quote more recipients (RFC 5322 sections 2.2 and 3.4).
 */
export function assertMessage(message: MailMessage): void {
  const { to, subject, text, html } = message;
  // The address may be hostile, so only its length is told.
  if (
    to.length > ADDRESS_CHARACTERS_MAX ||
    !/^[^\s@,;:<>()[\]"\\\u0000-\u001f\u007f]+@[^\s@,;:<>()[\]"\\\u0000-\u001f\u007f]+$/.test(to)
  ) {
    throw problem.invalid(
      `the address to write to (${to.length} characters) is not one plain mail address: write name@example.org`,
    );
  }
  if (subject === "" || subject.length > SUBJECT_CHARACTERS_MAX || /[\u0000-\u001f\u007f]/.test(subject)) {
    throw problem.invalid(`a mail's subject is one line of 1 to ${SUBJECT_CHARACTERS_MAX} characters`);
  }
  if (text.length > BODY_CHARACTERS_MAX || (html?.length ?? 0) > BODY_CHARACTERS_MAX) {
    throw problem.invalid(`a mail's text has at most ${BODY_CHARACTERS_MAX} characters`);
  }
}
