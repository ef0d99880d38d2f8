import { usePage } from "./page.ts";
import { Main } from "./parts.tsx";

export function HomePage() {
  const { words, index, to } = usePage();
  return (
    <Main>
      <h1>{words.title}</h1>
      <ul>
        {index.drugs.name.slice(0, 50).map((name, drug) => (
          <li key={drug}>
            <a href={to({ drug: index.drugs.id[drug] })}>{name}</a>
          </li>
        ))}
      </ul>
    </Main>
  );
}
