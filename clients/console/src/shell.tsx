import { BrainCircuit, FlaskConical, LogOut, type LucideIcon, ScanEye } from "lucide-react";
import { useEffect, useRef } from "react";
import { Link, NavLink, Outlet, useLocation } from "react-router";
import { Logo } from "../../ui/logo.tsx";
import { useSession } from "./session.tsx";
import { UndoProvider } from "./undo.tsx";

interface Place {
  readonly to: string;
  readonly name: string;
  readonly icon: LucideIcon;
  /** Further addresses that belong to it. */
  readonly also?: string;
}

/** Groups of pages; a new page is a line here. */
const PLACES: readonly { readonly group: string; readonly places: readonly Place[] }[] = [
  { group: "Content", places: [{ to: "/review", name: "Review", icon: ScanEye, also: "/titles" }] },
  {
    group: "Intelligence",
    places: [
      { to: "/models", name: "Models", icon: BrainCircuit },
      { to: "/experiments", name: "Experiments", icon: FlaskConical },
    ],
  },
];

/** The frame of all pages: where one is and can go, and the last thing that can be undone. */
export function Shell() {
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(pathname);
  // Whoever cannot see that a page has changed is brought to its beginning.
  useEffect(() => {
    if (before.current !== pathname) main.current?.focus({ preventScroll: true });
    before.current = pathname;
    window.scrollTo(0, 0);
  }, [pathname]);
  return (
    <UndoProvider>
      <a
        href="#content"
        className="button button-primary sr-only z-50 focus:not-sr-only focus:fixed focus:start-4 focus:top-3"
      >
        Skip to content
      </a>
      <div className="shell">
        <SideBar />
        <main id="content" ref={main} tabIndex={-1} className="shell-main outline-none">
          <Outlet />
          <SessionFoot className="phone-foot" />
        </main>
      </div>
    </UndoProvider>
  );
}

function SideBar() {
  const { pathname } = useLocation();
  return (
    <header className="side">
      <Link to="/review" className="side-brand" aria-label="Marquee console">
        <Logo name="Marquee" />
      </Link>
      <nav aria-label="Pages" className="side-nav">
        {PLACES.map(({ group, places }) => (
          <div key={group} className="side-group">
            <p className="side-heading">{group}</p>
            {places.map(({ to, name, icon: Icon, also }) => (
              <NavLink
                key={to}
                to={to}
                className={({ isActive }) =>
                  isActive || (also !== undefined && pathname.startsWith(also))
                    ? "side-link side-link-here"
                    : "side-link"
                }
              >
                <Icon size={20} aria-hidden="true" />
                {name}
              </NavLink>
            ))}
          </div>
        ))}
      </nav>
      <SessionFoot className="side-foot" />
    </header>
  );
}

/** Whose pages these are, until when, and the way out. */
function SessionFoot({ className }: { className: string }) {
  const { session, leave } = useSession();
  return (
    <div className={className}>
      <p>
        <span className="text-ink-3">Tenant</span> <span className="text-ink">{session.tenant}</span>
      </p>
      <p className="tabular">
        <span className="text-ink-3">Open until</span>{" "}
        {new Date(session.endsAtMs).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}
      </p>
      <button type="button" className="button button-plain button-small -ms-3 mt-1" onClick={leave}>
        <LogOut size={16} aria-hidden="true" />
        Leave
      </button>
    </div>
  );
}

export function NotFound() {
  return (
    <div className="page">
      <h1 className="display text-28">There is nothing here</h1>
      <p className="mt-3 text-ink-2">The address is none of the console’s pages.</p>
      <Link to="/review" className="button button-primary mt-6">
        Go to review
      </Link>
    </div>
  );
}
