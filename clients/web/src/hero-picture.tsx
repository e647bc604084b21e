import { Pause, Play } from "lucide-react";
import { type RefObject, useEffect, useRef, useState } from "react";
import type { Image } from "../../../contracts/web/index.ts";
import { Picture } from "../../ui/picture.tsx";
import { useWords } from "../../ui/words.tsx";
import { useFlag } from "./flags.ts";

/** Who is still there after so long is looking; who is not has loaded nothing. */
const IDLE_MS = 3_000;
const ACTIVITY = ["keydown", "pointerdown", "wheel", "touchmove"] as const;

/** `still`: nothing but the picture. `waiting`: the clip loads unseen. `over`: it has played and can be played again. */
type Phase = "still" | "waiting" | "playing" | "paused" | "over" | "failed";

interface HeroPictureProps {
  image: Image | null;
  previewUrl: string | null;
  className: string;
}

/** A still that breathes, and after a while a few silent seconds of the film, once. The pause button holds all of it (WCAG 2.2.2). */
export function HeroPicture({ image, previewUrl: offered, className }: HeroPictureProps) {
  const { m } = useWords();
  const previewUrl = useFlag("kill.web.previews") ? null : offered;
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [phase, setPhase] = useState<Phase>("still");
  const isInView = useIsInView(frame);
  useIdle(frame, phase === "still" && previewUrl !== null && isInView, () => setPhase("waiting"));

  useEffect(() => {
    const clip = video.current;
    if (clip === null) return;
    if (phase === "paused" || !isInView) clip.pause();
    // Refused where a system saves power: then the still simply stays.
    else if (phase === "playing" || phase === "waiting") clip.play().catch(() => undefined);
  }, [phase, isInView]);

  const isHeld = phase === "paused";
  const isSeen = phase === "playing" || isHeld;
  return (
    <div ref={frame} className={`absolute ${className}`}>
      <Picture
        image={image}
        sizes="100vw"
        priority
        isDecoration
        className="absolute! inset-0"
        imageClassName={isSeen ? "breathe hold" : "breathe"}
      />
      {previewUrl !== null && phase !== "still" && phase !== "failed" && (
        <video
          ref={video}
          src={previewUrl}
          muted
          playsInline
          preload="auto"
          disablePictureInPicture
          disableRemotePlayback
          aria-hidden="true"
          tabIndex={-1}
          onPlaying={() => setPhase("playing")}
          onEnded={() => setPhase("over")}
          onError={() => setPhase("failed")}
          className={`pointer-events-none absolute inset-0 size-full object-cover transition-opacity duration-200 ${isSeen ? "opacity-100" : "opacity-0"}`}
        />
      )}
      <div className="hero-shade absolute inset-0" />
      {(isSeen || phase === "over") && (
        <button
          type="button"
          aria-label={phase === "playing" ? m.pausePreview : m.playPreview}
          onClick={() => setPhase(phase === "playing" ? "paused" : "playing")}
          className="button button-quiet button-round absolute bg-ground/70 end-[clamp(1rem,4vw,4.5rem)] top-20 z-10"
        >
          {phase === "playing" ? <Pause size={18} aria-hidden="true" /> : <Play size={18} aria-hidden="true" />}
        </button>
      )}
    </div>
  );
}

/** Whether half of it can be seen: on the screen, in a tab that is shown. */
function useIsInView(frame: RefObject<HTMLElement | null>): boolean {
  const [isInView, setIsInView] = useState(false);
  useEffect(() => {
    if (frame.current === null) return;
    let isOnScreen = false;
    const look = () => setIsInView(isOnScreen && !document.hidden);
    const observer = new IntersectionObserver(
      ([entry]) => {
        isOnScreen = (entry?.intersectionRatio ?? 0) >= 0.5;
        look();
      },
      { threshold: 0.5 },
    );
    observer.observe(frame.current);
    document.addEventListener("visibilitychange", look);
    return () => {
      observer.disconnect();
      document.removeEventListener("visibilitychange", look);
    };
  }, [frame]);
  return isInView;
}

/** Calls once the still has stood there, whole, while nobody did anything. Who wants little motion or little traffic is left alone. */
function useIdle(frame: RefObject<HTMLElement | null>, isActive: boolean, onIdle: () => void): void {
  const act = useRef(onIdle);
  useEffect(() => {
    act.current = onIdle;
  });
  useEffect(() => {
    if (!isActive || !isMotionWelcome()) return;
    const still = frame.current?.querySelector("img");
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = () => {
      clearTimeout(timer);
      if (still?.complete !== false) timer = setTimeout(() => act.current(), IDLE_MS);
    };
    wait();
    still?.addEventListener("load", wait);
    for (const name of ACTIVITY) addEventListener(name, wait, { passive: true });
    return () => {
      clearTimeout(timer);
      still?.removeEventListener("load", wait);
      for (const name of ACTIVITY) removeEventListener(name, wait);
    };
  }, [frame, isActive]);
}

function isMotionWelcome(): boolean {
  if (matchMedia("(prefers-reduced-motion: reduce), (prefers-reduced-data: reduce)").matches) return false;
  // The Save-Data preference, which not every browser has.
  const connection: unknown = Reflect.get(navigator, "connection");
  return !(typeof connection === "object" && connection !== null && Reflect.get(connection, "saveData") === true);
}
