import type { ReactNode } from "react";
import type { Profile } from "../../contracts/web/index.ts";

/** How many drawings there are; a profile keeps the number of its own. */
export const AVATAR_SHAPES = 12;
export const AVATAR_COLORS = [
  "#e4572e",
  "#f2b04c",
  "#8fb339",
  "#3aa17e",
  "#4aa3c7",
  "#5b6ee1",
  "#9a5bd6",
  "#d65b9a",
  "#b98b6a",
  "#8c8f99",
] as const;

/** Twelve small compositions of circle, line and plane on a 64-unit square; `currentColor` is the dark of the drawing. */
const drawings: readonly ReactNode[] = [
  <path key="moon" d="M40 12a22 22 0 1 0 12 34A18 18 0 0 1 40 12Z" />,
  <path key="hills" d="M0 46 18 24l12 14 10-12 24 26v12H0Z M46 10a7 7 0 1 1 0 14 7 7 0 0 1 0-14Z" />,
  <path
    key="waves"
    d="M0 22q8-10 16 0t16 0 16 0 16 0v8q-8 10-16 0t-16 0-16 0-16 0Zm0 20q8-10 16 0t16 0 16 0 16 0v8q-8 10-16 0t-16 0-16 0-16 0Z"
  />,
  <path
    key="eye"
    fillRule="evenodd"
    d="M4 32s11-18 28-18 28 18 28 18-11 18-28 18S4 32 4 32Zm28-11a11 11 0 1 0 0 22 11 11 0 0 0 0-22Zm0 6a5 5 0 1 1 0 10 5 5 0 0 1 0-10Z"
  />,
  <path key="star" d="m32 6 6 20 20 6-20 6-6 20-6-20-20-6 20-6Z" />,
  <path
    key="rays"
    d="M32 32 20 0h12Zm0 0L64 8v14Zm0 0 32 10v14Zm0 0 16 32H36Zm0 0L12 64H0V56Zm0 0L0 38V24Zm0 0L0 10V0h6Z"
  />,
  <path key="steps" d="M0 64V48h16V36h16V24h16V12h16v52Z" />,
  <path
    key="orbit"
    fillRule="evenodd"
    d="M32 8a24 24 0 1 1 0 48 24 24 0 0 1 0-48Zm0 7a17 17 0 1 0 0 34 17 17 0 0 0 0-34Zm13-6a8 8 0 1 1 0 16 8 8 0 0 1 0-16Z"
  />,
  <path key="leaf" d="M10 54C8 24 26 8 56 8c2 30-14 48-44 46l22-24Z" />,
  <path
    key="arches"
    fillRule="evenodd"
    d="M8 64V34a24 24 0 0 1 48 0v30H45V35a13 13 0 0 0-26 0v29Zm18 0V36a6 6 0 0 1 12 0v28Z"
  />,
  <path key="gem" d="m32 4 26 28-26 28L6 32Zm0 14L19 32l13 14 13-14Z" fillRule="evenodd" />,
  <path
    key="frames"
    fillRule="evenodd"
    d="M8 14h48v36H8Zm6 6v6h6v-6Zm0 9v6h6v-6Zm0 9v6h6v-6Zm30-18v6h6v-6Zm0 9v6h6v-6Zm0 9v6h6v-6Z"
  />,
];

export function Avatar({ avatar, className = "" }: { avatar: Profile["avatar"]; className?: string }) {
  return (
    <svg
      viewBox="0 0 64 64"
      aria-hidden="true"
      className={`rounded-[22%] ${className}`}
      style={{ background: avatar.color }}
    >
      <g fill="#0b0a0c" fillOpacity="0.78">
        {drawings[avatar.shape % AVATAR_SHAPES]}
      </g>
    </svg>
  );
}
