/** Marathon's placement constraints: may one more instance of an app run on the agent of an offer? */
import type { Attribute, Offer } from '../../framework/mesos-http-client/messages.ts';

/** Where one instance of the app runs. */
export interface Place {
  readonly host: string;
  readonly agentId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

function attributeText(attribute: Attribute): string {
  if (attribute.text !== undefined) return attribute.text.value;
  if (attribute.scalar !== undefined) return String(attribute.scalar.value);
  if (attribute.set !== undefined) return `{${(attribute.set.item ?? []).join(',')}}`;
  return `[${(attribute.ranges?.range ?? []).map(({ begin, end }) => `${begin}-${end}`).join(',')}]`;
}

/** The attributes of an agent as text; of two with the same name the first counts. */
export function attributesOf(offer: Offer): Record<string, string> {
  const found: Record<string, string> = {};
  for (const attribute of offer.attributes) found[attribute.name] ??= attributeText(attribute);
  return found;
}

function fieldOf(field: string, place: Place): string | undefined {
  switch (field) {
    case 'hostname':
    case '@hostname':
      return place.host;
    default:
      return place.attributes[field];
  }
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test(text);
  } catch (error) {
    // Not a regular expression: nothing matches it.
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function holds(constraint: readonly string[], place: Place, others: readonly Place[]): boolean {
  const [field = '', operator = '', value = ''] = constraint;
  const here = fieldOf(field, place);
  if (here === undefined) return operator === 'UNLIKE';
  const same = others.filter((other) => fieldOf(field, other) === here).length;
  switch (operator) {
    case 'UNIQUE':
      return same === 0;
    case 'IS':
      return here === value;
    case 'LIKE':
      return matches(value, here);
    case 'UNLIKE':
      return !matches(value, here);
    case 'MAX_PER':
      return same < Number(value);
    case 'CLUSTER':
      return value === '' ? same === others.length : here === value;
    default:
      // GROUP_BY: the matcher spreads anyway.
      return true;
  }
}

/** True when every constraint of the app holds with one more instance at `place`. */
export function satisfies(
  constraints: readonly (readonly string[])[],
  place: Place,
  others: readonly Place[],
): boolean {
  return constraints.every((constraint) => holds(constraint, place, others));
}
