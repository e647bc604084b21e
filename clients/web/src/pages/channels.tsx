import { Link, useLoaderData } from "react-router";
import type { Channel } from "../../../../contracts/web/index.ts";
import { AgeBadge, ProgressLine, StatePage } from "../../../ui/feedback.tsx";
import { durationInWords } from "../../../ui/time.ts";
import { useWords } from "../../../ui/words.tsx";
import type { LoaderData } from "../loaders.ts";

export function Component() {
  const { channels, nowMs } = useLoaderData<LoaderData<"channels">>();
  const { m } = useWords();
  if (channels.length === 0) {
    const action = (
      <Link to="/" className="button button-primary">
        {m.browseTitles}
      </Link>
    );
    return <StatePage title={m.live.noChannels} text={m.live.noChannelsText} actions={action} />;
  }
  return (
    <div className="gutter pt-24 sm:pt-32">
      <h1 className="display mb-6 text-40 sm:text-64">{m.live.title}</h1>
      <ul className="-mx-4 max-w-4xl">
        {channels.map((channel) => (
          <li key={channel.id}>
            <Row channel={channel} nowMs={nowMs} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A channel as people look for it: by its number, its name and what is on. */
function Row({ channel, nowMs }: { channel: Channel; nowMs: number }) {
  const { m } = useWords();
  const { number, name, now, onAir, ageRating, locked, logo } = channel;
  return (
    <Link
      to={`/live/${channel.id}`}
      aria-label={m.live.watch(name)}
      className={`group flex min-h-24 items-center gap-5 rounded-xl px-4 py-4 transition-colors hover:bg-lift-2 sm:gap-8 ${onAir && locked === null ? "" : "opacity-55"}`}
    >
      <span className="tabular w-10 flex-none text-end text-28 font-semibold text-ink-3 group-hover:text-ink-2">
        {number}
      </span>
      {logo !== null && <img src={logo} alt="" className="size-12 flex-none object-contain" />}
      <span className="flex min-w-0 flex-1 flex-col gap-1">
        <bdi className="display truncate text-28">{name}</bdi>
        <span className="flex items-center gap-3 text-14 text-ink-2">
          {onAir && <span className="live-dot flex-none" aria-hidden="true" />}
          <bdi className="truncate">{locked?.message ?? (onAir ? (now?.title ?? m.live.isLive) : m.live.offAir)}</bdi>
          {ageRating !== "0" && <AgeBadge age={ageRating} />}
        </span>
        {now !== null && <Elapsed now={now} nowMs={nowMs} />}
      </span>
    </Link>
  );
}

function Elapsed({ now, nowMs }: { now: NonNullable<Channel["now"]>; nowMs: number }) {
  const { m } = useWords();
  const [startMs, endMs] = [Date.parse(now.startsAt), Date.parse(now.endsAt)];
  const left = m.time.left(durationInWords((endMs - nowMs) / 1_000, m));
  return (
    <span className="mt-1 flex max-w-sm items-center gap-3 text-12 text-ink-3">
      <ProgressLine value={(nowMs - startMs) / (endMs - startMs)} label={left} className="flex-1" />
      <span className="tabular flex-none">{left}</span>
    </span>
  );
}
