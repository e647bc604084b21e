import type { Stateful } from "./state.ts";

export interface Mail extends Stateful {
  /** Resolves when the message was handed over. Addresses with line breaks are refused. */
  send(message: MailMessage): Promise<void>;
  /** Removes messages to this address that are still kept here; what was handed to a mail server is no longer ours. */
  erase(address: string): Promise<void>;
}

export interface MailMessage {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}
