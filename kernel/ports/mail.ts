import type { Stateful } from "./state.ts";

export interface Mail extends Stateful {
  /** Resolves when the message was handed over. Addresses with line breaks are refused. */
  send(message: MailMessage): Promise<void>;
}

export interface MailMessage {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}
