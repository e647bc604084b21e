import { Profile } from "#contracts/profile";
import { defineService, type Platform, problem } from "#kernel";

const never = async (): Promise<never> => {
  throw problem.unavailable("nobody manages profiles in this test");
};

/** Every profile is there, and is the account's. */
export const profilesOf = (userId: string) =>
  defineService({
    contract: Profile,
    uses: {},
    slo: { p99Ms: 10, availability: 0.999 },
    ai: { feeds: "none", uses: "none", fallback: "none needed" },
    start: (platform: Platform<typeof Profile>) => platform,
    rpc: () =>
      new Proxy(
        {},
        {
          get: (_, name) =>
            name === "get" ? async ({ profileId: id }: { profileId: string }) => ({ profile: { id, userId } }) : never,
        },
      ) as never,
    ready: async () => {},
  });
