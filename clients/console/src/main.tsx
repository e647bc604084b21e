import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createBrowserRouter, Navigate } from "react-router";
import { RouterProvider } from "react-router/dom";
import { en } from "../../ui/messages/en.ts";
import { WordsProvider } from "../../ui/words.tsx";
import { ExperimentPage } from "./experiments/page.tsx";
import { ExperimentsPage } from "./experiments/list.tsx";
import { NewExperimentPage } from "./experiments/new.tsx";
import { ModelPage } from "./models/model.tsx";
import { ModelsPage } from "./models/list.tsx";
import { FlaggedPage } from "./review/flagged.tsx";
import { ReviewFrame } from "./review/frame.tsx";
import { TitlesPage } from "./review/titles.tsx";
import { UnsurePage } from "./review/unsure.tsx";
import { Gate } from "./session.tsx";
import { NotFound, Shell } from "./shell.tsx";
import { TitlePage } from "./title/page.tsx";
import "./styles.css";

const router = createBrowserRouter([
  {
    path: "/",
    element: <Shell />,
    children: [
      { index: true, element: <Navigate to="/review" replace /> },
      { path: "enter", element: <Navigate to="/review" replace /> },
      {
        path: "review",
        element: <ReviewFrame />,
        children: [
          { index: true, element: <FlaggedPage /> },
          { path: "unsure", element: <UnsurePage /> },
          { path: "titles", element: <TitlesPage /> },
        ],
      },
      { path: "titles/:id", element: <TitlePage /> },
      { path: "models", element: <ModelsPage /> },
      { path: "models/:name", element: <ModelPage /> },
      { path: "experiments", element: <ExperimentsPage /> },
      { path: "experiments/new", element: <NewExperimentPage /> },
      { path: "experiments/run/:name", element: <ExperimentPage /> },
      { path: "*", element: <NotFound /> },
    ],
  },
]);

const container = document.getElementById("app");
if (container === null) throw new Error("The page has no #app element.");
createRoot(container).render(
  <StrictMode>
    <WordsProvider m={en} locale="en">
      <Gate>
        <RouterProvider router={router} />
      </Gate>
    </WordsProvider>
  </StrictMode>,
);
