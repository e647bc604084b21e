import type { Caller } from "#kernel/call-policy";
import { webUses } from "../bffs/web/parts.ts";
import { services } from "./services.ts";

/** Everybody who calls services, with what they declare to call: the services themselves, the BFF, and the operator. */
export const callers: readonly Caller[] = [
  ...services.map(({ contract, uses }) => ({ name: contract.name, uses })),
  { name: "web", uses: webUses },
  { name: "admin", uses: "all" },
];
