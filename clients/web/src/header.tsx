import { Bookmark, CalendarDays, House, RadioTower, Search, UserRound } from "lucide-react";
import { useEffect, useRef } from "react";
import { Link, NavLink, useLocation } from "react-router";
import { Avatar } from "../../ui/avatar.tsx";
import { Logo } from "../../ui/logo.tsx";
import { useWords } from "../../ui/words.tsx";
import { useViewer } from "./hooks.ts";
import { Bell } from "./notices/bell.tsx";

const navLink = ({ isActive }: { isActive: boolean }) =>
  `inline-flex min-h-11 items-center px-3 text-16 transition-colors ${isActive ? "font-semibold text-ink" : "text-ink-2 hover:text-ink"}`;

export function Header() {
  const { m } = useWords();
  const viewer = useViewer();
  const brand = viewer?.brand.name ?? "Marquee";
  const isMember = viewer?.user != null;
  return (
    <header className="absolute inset-x-0 top-0 z-40 sm:fixed">
      <div className="header-ground pointer-events-none absolute inset-x-0 top-0 hidden h-24 sm:block" />
      <div className="gutter relative flex h-18 items-center gap-6">
        <Link to="/" className="inline-flex min-h-11 items-center">
          <Logo name={brand} />
        </Link>
        {isMember && (
          <nav aria-label={m.mainNavigation} className="hidden items-center sm:flex">
            <NavLink to="/" end className={navLink}>
              {m.home}
            </NavLink>
            <NavLink to="/live" className={navLink}>
              {m.live.title}
            </NavLink>
            <NavLink to="/guide" className={navLink}>
              {m.guide.title}
            </NavLink>
            <NavLink to="/my-list" className={navLink}>
              {m.myList}
            </NavLink>
          </nav>
        )}
        <div className="ms-auto flex items-center gap-2">
          {isMember ? (
            <>
              <Link
                to="/search"
                className="button button-plain button-round hidden sm:inline-flex"
                aria-label={m.search}
              >
                <Search size={22} aria-hidden="true" />
              </Link>
              {viewer.profile !== null && <Bell key={viewer.profile.id} />}
              <ProfileMenu />
            </>
          ) : (
            <a href="/sign-in" className="button button-quiet button-small">
              {m.signIn}
            </a>
          )}
        </div>
      </div>
    </header>
  );
}

/** A menu that opens without a script; with one it also closes by Escape, by a press elsewhere and by going somewhere. */
function ProfileMenu() {
  const { m } = useWords();
  const viewer = useViewer();
  const ref = useRef<HTMLDetailsElement>(null);
  const { key } = useLocation();
  const seenKey = useRef(key);
  useEffect(() => {
    // The first time is when the script arrives, and the menu may be open already.
    if (ref.current !== null && seenKey.current !== key) ref.current.open = false;
    seenKey.current = key;
  }, [key]);
  useEffect(() => {
    const close = (event: Event) => {
      const menu = ref.current;
      if (menu === null || !menu.open) return;
      if (event instanceof KeyboardEvent) {
        if (event.key !== "Escape") return;
        menu.querySelector("summary")?.focus();
      } else if (event.target instanceof Node && menu.contains(event.target)) return;
      menu.open = false;
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, []);
  const name = viewer?.profile?.name ?? viewer?.user?.name ?? m.account;
  const item = "flex min-h-11 w-full items-center px-5 text-start text-16 text-ink-2 hover:bg-lift-3 hover:text-ink";
  return (
    <details ref={ref} className="relative">
      <summary
        aria-label={m.menuFor(name)}
        className="flex min-h-11 min-w-11 list-none items-center justify-center rounded-lg"
      >
        {viewer?.profile == null ? (
          <UserRound size={26} aria-hidden="true" />
        ) : (
          <Avatar avatar={viewer.profile.avatar} className="size-9" />
        )}
      </summary>
      <div className="arrive absolute end-0 top-full mt-2 w-60 overflow-hidden rounded-xl bg-lift-2 py-2 shadow-[0_24px_64px_rgb(0_0_0/0.7)]">
        <p className="px-5 pt-1 pb-2 text-14 text-ink-3">{name}</p>
        <Link to="/profiles" className={item}>
          {m.switchProfile}
        </Link>
        <Link to="/recordings" className={item}>
          {m.recordings.title}
        </Link>
        <Link to="/account" className={item}>
          {m.account}
        </Link>
        <form method="post" action="/sign-out">
          <button type="submit" className={item}>
            {m.signOut}
          </button>
        </form>
      </div>
    </details>
  );
}

/** Pages before and beside the cinema: the sign alone. */
export function SmallHeader() {
  const viewer = useViewer();
  return (
    <header className="gutter absolute inset-x-0 top-0 z-10 flex h-18 items-center">
      <Link to="/" className="inline-flex min-h-11 items-center">
        <Logo name={viewer?.brand.name ?? "Marquee"} />
      </Link>
    </header>
  );
}

/** Under the thumb, on phones. */
export function BottomBar() {
  const { m } = useWords();
  const link = ({ isActive }: { isActive: boolean }) =>
    `flex min-h-14 flex-1 flex-col items-center justify-center gap-1 text-12 ${isActive ? "font-semibold text-ink" : "text-ink-2"}`;
  return (
    <nav
      aria-label={m.mainNavigation}
      className="fixed inset-x-0 bottom-0 z-40 flex bg-ground/92 pb-[env(safe-area-inset-bottom)] backdrop-blur-xl sm:hidden"
    >
      <NavLink to="/" end className={link}>
        <House size={22} aria-hidden="true" />
        {m.home}
      </NavLink>
      <NavLink to="/live" className={link}>
        <RadioTower size={22} aria-hidden="true" />
        {m.live.title}
      </NavLink>
      <NavLink to="/search" className={link}>
        <Search size={22} aria-hidden="true" />
        {m.search}
      </NavLink>
      <NavLink to="/guide" className={link}>
        <CalendarDays size={22} aria-hidden="true" />
        {m.guide.title}
      </NavLink>
      <NavLink to="/my-list" className={link}>
        <Bookmark size={22} aria-hidden="true" />
        {m.myList}
      </NavLink>
    </nav>
  );
}
