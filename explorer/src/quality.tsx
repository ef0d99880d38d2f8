// How the run went: what became of the rows that were read.
import type { SourceQuality } from "./data.ts";
import { showNumber } from "./dates.ts";
import { usePage } from "./page.ts";
import type { Words } from "./words.ts";

function sourceName(words: Words, source: string): string {
  return words.sourceNames[source] ?? source;
}

export function QualityPanel() {
  const { index, route, words } = usePage();
  const { sources, files, unread, unread_files: unreadFiles } = index.quality;
  const columns = [
    { label: words.read, count: (of: SourceQuality) => of.read },
    { label: words.kept, count: (of: SourceQuality) => of.kept },
    { label: words.merged, count: (of: SourceQuality) => of.merged },
    { label: words.rejected, count: (of: SourceQuality) => of.rejected },
  ];
  return (
    <section class="card">
      <h2>{words.quality}</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label={words.quality}>
        <table class="small">
          <thead>
            <tr>
              <th scope="col">{words.source}</th>
              {columns.map(({ label }) => (
                <th key={label} scope="col" class="number">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sources.map((source) => (
              <tr key={source.source}>
                <th scope="row">{sourceName(words, source.source)}</th>
                {columns.map(({ label, count }) => (
                  <td key={label} class="number">
                    {showNumber(count(source), route.lang)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Reasons sources={sources} />
      <p class="dim">{words.files(files - unreadFiles)}</p>
      {unreadFiles > 0 && (
        <div class="warning">
          {words.unreadFiles(unreadFiles)}
          <ul>
            {unread.map(({ file, problem }) => (
              <li key={file}>
                <b>{file}</b> {problem}
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

function Reasons({ sources }: { sources: SourceQuality[] }) {
  const { route, words } = usePage();
  const rejecting = sources.filter(({ rejected }) => rejected > 0);
  if (rejecting.length === 0) return null;
  return (
    <details>
      <summary>{words.whyRejected}</summary>
      {rejecting.map(({ source, reasons }) => (
        <div key={source}>
          <h3>{sourceName(words, source)}</h3>
          <ul class="plain">
            {Object.entries(reasons).map(([reason, count]) => (
              <li key={reason}>
                <span>{words.reasons[reason] ?? reason}</span>{" "}
                <span class="number">{showNumber(count, route.lang)}</span>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </details>
  );
}
