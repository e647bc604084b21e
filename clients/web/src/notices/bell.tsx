import { Bell as BellIcon } from "lucide-react";
import { type RefObject, useEffect, useEffectEvent, useId, useRef, useState } from "react";
import { Link, useLocation } from "react-router";
import type { Notice, Notices } from "../../../../contracts/web/notifications/index.ts";
import { ago } from "../../../ui/time.ts";
import { useWords } from "../../../ui/words.tsx";
import { browserApi } from "../api.ts";
import { useUnread } from "./unread.ts";

const SHOWN_MAX = 99;

/** How many messages are unread; a press shows them. Escape, a press elsewhere and going somewhere close them again. */
export function Bell() {
  const { m } = useWords();
  const { unread, newestId, hasNews, readAll } = useUnread();
  // Going somewhere closes it: it is open on the page that it was opened on.
  const { key } = useLocation();
  const [openOn, setOpenOn] = useState<string | null>(null);
  const isOpen = openOn === key;
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  useCloseOutside(box, isOpen, (byKey) => {
    setOpenOn(null);
    if (byKey) button.current?.focus();
  });
  return (
    <div ref={box} className="sm:relative">
      <button
        ref={button}
        type="button"
        className="button button-plain button-round needs-script relative"
        aria-label={m.notices.bell(unread)}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpenOn(isOpen ? null : key)}
      >
        <BellIcon size={22} aria-hidden="true" />
        {unread > 0 && (
          <span
            aria-hidden="true"
            className="tabular absolute end-1 top-1 flex h-5 min-w-5 items-center justify-center rounded-full bg-accent px-1 text-12 font-semibold text-accent-ink"
          >
            {unread > SHOWN_MAX ? `${SHOWN_MAX}+` : unread}
          </span>
        )}
      </button>
      <p role="status" className="sr-only">
        {hasNews ? m.notices.arrived : ""}
      </p>
      {isOpen && <Panel id={id} newestId={newestId} onRead={readAll} />}
    </div>
  );
}

/** Runs `close` at Escape (true) and at a press or a focus elsewhere (false). */
function useCloseOutside(box: RefObject<HTMLElement | null>, isOpen: boolean, close: (byKey: boolean) => void): void {
  const onClose = useEffectEvent(close);
  useEffect(() => {
    if (!isOpen) return;
    const onEvent = (event: Event) => {
      if (event instanceof KeyboardEvent) {
        if (event.key === "Escape") onClose(true);
      } else if (!(event.target instanceof Node && box.current?.contains(event.target))) onClose(false);
    };
    const names = ["keydown", "pointerdown", "focusin"] as const;
    for (const name of names) document.addEventListener(name, onEvent);
    return () => {
      for (const name of names) document.removeEventListener(name, onEvent);
    };
  }, [box, isOpen]);
}

type Loaded = { readonly state: "loading" | "failed" } | { readonly state: "there"; readonly notices: Notices };

interface PanelProps {
  id: string;
  /** A message that comes while the panel is open is shown at once. */
  newestId: string | null;
  onRead(): void;
}

function Panel({ id, newestId, onRead }: PanelProps) {
  const { m, locale } = useWords();
  const [loaded, setLoaded] = useState<Loaded>({ state: "loading" });
  const ref = useRef<HTMLElement>(null);
  const load = (before?: string) =>
    browserApi.notices({ language: locale, zone: Intl.DateTimeFormat().resolvedOptions().timeZone, before });
  const show = useEffectEvent(async (newest: string | null) => {
    if (loaded.state === "there" && (loaded.notices.notices[0]?.id ?? "") === newest) return;
    try {
      const notices = await load();
      setLoaded({ state: "there", notices });
      if (notices.unread > 0) await browserApi.readNotices();
      onRead();
    } catch {
      setLoaded({ state: "failed" });
    }
  });
  useEffect(() => ref.current?.focus(), []);
  useEffect(() => void show(newestId), [newestId]);
  const more = async (notices: Notices) => {
    const older = await load(notices.next ?? undefined).catch(() => null);
    if (older !== null)
      setLoaded({ state: "there", notices: { ...older, notices: [...notices.notices, ...older.notices] } });
  };
  return (
    <section
      id={id}
      ref={ref}
      tabIndex={-1}
      aria-label={m.notices.title}
      className="arrive absolute inset-x-3 top-full flex max-h-[min(34rem,80dvh)] flex-col overflow-hidden rounded-xl bg-lift-2 shadow-[0_24px_64px_rgb(0_0_0/0.7)] outline-none sm:inset-x-auto sm:end-0 sm:mt-2 sm:w-96"
    >
      <h2 className="px-5 pt-4 pb-2 text-16 font-semibold">{m.notices.title}</h2>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain">
        {loaded.state === "loading" && <Skeleton />}
        {loaded.state === "failed" && (
          <p role="alert" className="px-5 py-4 text-16 text-warn">
            {m.notices.failed}
          </p>
        )}
        {loaded.state === "there" && <List notices={loaded.notices} onMore={() => void more(loaded.notices)} />}
      </div>
      <Link
        to="/account#notifications"
        className="flex min-h-12 items-center border-t border-line px-5 text-14 text-ink-2 hover:text-ink"
      >
        {m.notices.settings}
      </Link>
    </section>
  );
}

function List({ notices: { notices, next }, onMore }: { notices: Notices; onMore(): void }) {
  const { m } = useWords();
  const [nowMs] = useState(() => Date.now());
  if (notices.length === 0)
    return (
      <div className="px-5 pt-2 pb-6">
        <p className="text-16">{m.notices.none}</p>
        <p className="mt-1 text-14 text-ink-2">{m.notices.noneText}</p>
      </div>
    );
  return (
    <>
      <ul>
        {notices.map((notice) => (
          <Item key={notice.id} notice={notice} nowMs={nowMs} />
        ))}
      </ul>
      {next !== null && (
        <button type="button" className="button button-plain button-small w-full" onClick={onMore}>
          {m.notices.older}
        </button>
      )}
    </>
  );
}

function Item({ notice: { id, title, body, path, createdAt, isRead }, nowMs }: { notice: Notice; nowMs: number }) {
  const { m, locale } = useWords();
  return (
    <li>
      <Link
        to={path}
        // Where one goes does not wait for that it is counted.
        onClick={() => void browserApi.clickNotice(id).catch(() => {})}
        className="relative block px-5 py-3 hover:bg-lift-3 focus-visible:-outline-offset-3"
      >
        {!isRead && (
          <span className="absolute start-2 top-5 size-1.5 rounded-full bg-accent-line">
            <span className="sr-only">{m.notices.unread}</span>
          </span>
        )}
        <span className="block text-16 font-semibold">{title}</span>
        <span className="block text-14 text-ink-2">{body}</span>
        <span className="mt-0.5 block text-12 text-ink-3">{ago(createdAt, nowMs, locale, m)}</span>
      </Link>
    </li>
  );
}

function Skeleton() {
  return (
    <div aria-hidden="true" className="px-5 pb-4">
      {[1, 2, 3].map((n) => (
        <div key={n} className="py-3">
          <div className="skeleton h-4 w-40" />
          <div className="skeleton mt-2 h-3 w-64 max-w-full" />
        </div>
      ))}
    </div>
  );
}
