import { Bookmark } from "#contracts/bookmark";
import { until } from "../e2e/until.ts";
import type { Account } from "./accounts.ts";
import type { Product, Stage } from "./product.ts";
import type { Viewer } from "./viewer.ts";

const RECOVERY_MS_MAX = 60_000;
/** So much is answered anew before somebody counts as watching. */
const ENOUGH = 30;

export interface GoesOn {
  readonly what: string;
  readonly stage: Stage;
  readonly product: Product;
  readonly viewer: Viewer;
  readonly account: Account;
  readonly contentId: string;
  /** Is told how long it took. */
  readonly tell: (text: string) => void;
}

/** Beats and segments are answered, nobody having lent a hand, and the bookmark follows what was acknowledged. */
export async function assertGoesOn({ what, stage, product, viewer, account, contentId, tell }: GoesOn): Promise<void> {
  const begunMs = performance.now();
  const { beats, segments } = viewer.acknowledged;
  await until(what, RECOVERY_MS_MAX, async () => {
    // A browser exchanges a token that is over by itself.
    if (viewer.fault().includes("401")) await viewer.signIn().catch(() => undefined);
    const now = viewer.acknowledged;
    return now.beats >= beats + ENOUGH && now.segments >= segments + ENOUGH ? true : null;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${viewer.fault()}\n${product.output()}`);
  });
  tell(`${what}: ${ENOUGH} more beats and segments after ${Math.round(performance.now() - begunMs)} ms`);
  const { positionS } = viewer.acknowledged;
  await until(`the bookmark follows (${what})`, RECOVERY_MS_MAX, async () => {
    const { bookmark } = await stage.admin.of(Bookmark).get({ profileId: account.profileId, contentId });
    return (bookmark?.positionS ?? -1) >= positionS ? true : null;
  });
}
