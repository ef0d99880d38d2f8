// Buttons of which one is pressed: a choice that changes what is shown at once.

interface Option<Value> {
  value: Value;
  label: string;
}

interface ChoiceProps<Value> {
  label: string;
  chosen: Value;
  options: readonly Option<Value>[];
  choose: (value: Value) => void;
}

export function Choice<Value>({ label, chosen, options, choose }: ChoiceProps<Value>) {
  return (
    <span class="choice" role="group" aria-label={label}>
      {options.map((option) => (
        <button aria-pressed={option.value === chosen} onClick={() => choose(option.value)}>
          {option.label}
        </button>
      ))}
    </span>
  );
}
