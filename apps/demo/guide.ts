import { setTimeout as sleep } from "node:timers/promises";
import { Epg } from "#contracts/epg";
import { type Context, problem } from "#kernel";
import type { Host } from "#kernel/host";

/**
 * The demo's guide: an XMLTV document that is made here and taken in as any other is. What a channel that shows a clock sends is
 * told as a television station would tell it.
 */
const SOURCE = "demo";
const DAYS = 14;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const AGAIN_MS = 6 * 3_600_000;

interface Block {
  readonly minutes: number;
  readonly title: string;
  readonly category: string;
  readonly text: string;
  /** One a day, in turn. A block without them is the same every day. */
  readonly episodes?: readonly string[];
}

/** A day of Marquee Live. Its minutes come to 24 hours. */
const DAY: readonly Block[] = [
  {
    ...{ minutes: 330, title: "Night watch", category: "Ambient" },
    text: "Nobody is awake but the clock. It counts frames until morning, and does not lose one.",
  },
  {
    ...{ minutes: 60, title: "First light", category: "Ambient" },
    text: "The colour bars warm up. Bring coffee.",
  },
  {
    ...{ minutes: 90, title: "Breakfast by numbers", category: "Magazine" },
    text: "What today's date has to say for itself: its factors, its neighbours, and why it will not come again.",
  },
  {
    ...{ minutes: 120, title: "The long second", category: "Documentary" },
    text: "How people came to agree on what a second is, and what it cost them.",
    episodes: ["Water", "Sand", "Pendulums", "Quartz", "Caesium", "The railway's time", "Leap"],
  },
  {
    ...{ minutes: 30, title: "News from the test card", category: "News" },
    text: "The bars, the grid and the circle, and what has become of them since this morning.",
  },
  {
    ...{ minutes: 90, title: "Twenty-five a second", category: "Documentary" },
    text: "Why pictures move: a series about rates of frames and the people who chose them.",
    episodes: ["Sixteen", "Twenty-four", "Twenty-five", "Thirty, or nearly", "Fifty", "Sixty", "As many as there are"],
  },
  {
    ...{ minutes: 60, title: "Quiet colours", category: "Ambient" },
    text: "An hour of one hue after the other. Yellow comes last.",
  },
  {
    ...{ minutes: 120, title: "Matinee: The clock", category: "Film" },
    text: "In the leading part: a clock. It is on time throughout.",
  },
  {
    ...{ minutes: 60, title: "Ask the grid", category: "Magazine" },
    text: "Questions of viewers about lines, angles and overscan are answered in the order in which they came.",
    episodes: ["Corners", "Circles that are none", "Safe areas", "Half a line", "Dots", "The middle", "Letters"],
  },
  {
    ...{ minutes: 60, title: "Six o'clock, exactly", category: "News" },
    text: "The one programme that cannot be late.",
  },
  {
    ...{ minutes: 90, title: "The sieve", category: "Quiz" },
    text: "Primes stay, the others go. Who is left at half past seven comes again tomorrow.",
    episodes: ["Up to a hundred", "Twins", "Gaps", "Perfect", "Almost prime", "Palindromes", "The final"],
  },
  {
    ...{ minutes: 120, title: "Evening at 720p", category: "Entertainment" },
    text: "Guests of the house are asked what they would keep if half of their pixels had to go.",
    episodes: ["Sharp", "Soft", "Noise", "Edges", "Grain", "Shadow", "Highlights"],
  },
  {
    ...{ minutes: 90, title: "Late signal", category: "Music" },
    text: "Tones of one kilohertz, and some that are more daring.",
  },
  {
    ...{ minutes: 120, title: "Counting down", category: "Ambient" },
    text: "To midnight, in numbers that everybody can follow.",
  },
];

/** Two weeks of programmes from the day before the one that it is, as XMLTV. */
export function demoGuide(nowMs: number): string {
  const firstDay = Math.floor(nowMs / DAY_MS) - 1;
  const programmes: string[] = [];
  for (let day = firstDay; day <= firstDay + DAYS + 1; day++) {
    let atMs = day * DAY_MS;
    for (const block of DAY) {
      const stopMs = atMs + block.minutes * MINUTE_MS;
      programmes.push(programme("ch-marquee-live", atMs, stopMs, block, day));
      atMs = stopMs;
    }
  }
  return `<?xml version="1.0" encoding="UTF-8"?>
<tv generator-info-name="Marquee">
<channel id="ch-marquee-live"><display-name lang="en">Marquee Live</display-name><display-name>1</display-name></channel>
${programmes.join("\n")}
</tv>
`;
}

function programme(channel: string, startMs: number, stopMs: number, block: Block, day: number): string {
  const { title, category, text, episodes } = block;
  const turn = episodes === undefined ? 0 : day % episodes.length;
  const season = episodes === undefined ? 0 : Math.floor(day / episodes.length) % 100;
  const about = episodes === undefined ? "" : `<sub-title lang="en">${escape(episodes[turn] ?? "")}</sub-title>`;
  const number =
    episodes === undefined ? "" : `<episode-num system="xmltv_ns">${season}.${turn}/${episodes.length}.</episode-num>`;
  return `<programme channel="${channel}" start="${stamp(startMs)}" stop="${stamp(stopMs)}"><title lang="en">${escape(title)}</title>${about}<desc lang="en">${escape(text)}</desc><category lang="en">${escape(category)}</category>${number}</programme>`;
}

const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, "")} +0000`;
const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** Puts the demo's guide in, and keeps it two weeks long while the product runs. */
export async function keepGuide(host: Host, contextOf: () => Context, signal: AbortSignal): Promise<void> {
  const guide = host.client(Epg, "demo");
  while (!signal.aborted) {
    const context = contextOf();
    await guide.putSource(
      { name: SOURCE, kind: "pushed", priority: -1_000, addsChannels: true, language: "en" },
      context,
    );
    const piece = Buffer.from(demoGuide(Date.now()));
    await guide.push({ sourceName: SOURCE, piece, last: true }, context);
    await sleep(AGAIN_MS, undefined, { signal, ref: false }).catch(() => {
      throw problem.aborted("the product stops");
    });
  }
}
