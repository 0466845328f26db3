import { errorText } from '../model/api.ts';
import { button, iconButton } from './button.ts';
import { type Child, el, fill, uniqueId } from './dom.ts';
import { icon } from './icon.ts';

export interface DialogOptions {
  readonly title: string;
  readonly content: Child;
  /** The name of the button that does it. */
  readonly action: string;
  readonly danger?: boolean;
  readonly wide?: boolean;
  /** What has to be typed before the button can be pressed. */
  readonly typed?: string;
  /** The dialog closes when it resolves; a reason for rejecting is shown in it, and it stays. */
  readonly act: () => Promise<unknown>;
}

/** Asks before something is changed. Resolves with whether it was done. */
export function ask(options: DialogOptions): Promise<boolean> {
  const { title, content, action, danger = false, wide = false, typed, act } = options;
  const heading = uniqueId('dialog');
  const failure = el('div', { class: 'dialog-failure', role: 'alert' });
  const go = button(action, () => {}, {
    kind: danger ? 'danger' : 'primary',
    disabled: typed !== undefined,
    attributes: { type: 'submit' },
  });
  const cancel = button('Cancel', () => dialog.close());
  const form: HTMLFormElement = el(
    'form',
    { method: 'dialog' },
    el(
      'header',
      {},
      el('h2', { id: heading }, title),
      iconButton('Close', 'close', () => dialog.close()),
    ),
    el('div', { class: 'dialog-content' }, content, typed !== undefined && typedField(typed, go)),
    failure,
    el('footer', {}, cancel, go),
  );
  const dialog: HTMLDialogElement = el(
    'dialog',
    { class: wide ? 'wide' : undefined, 'aria-labelledby': heading },
    form,
  );
  let isDone = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    go.disabled = true;
    fill(failure);
    try {
      await act();
      isDone = true;
      dialog.close();
    } catch (reason) {
      fill(failure, icon('alert'), el('p', {}, errorText(reason)));
      go.disabled = false;
    }
  });
  document.body.append(dialog);
  dialog.showModal();
  // What is dangerous needs a second thought, so that Enter alone does not do it.
  const field = dialog.querySelector<HTMLElement>('input, textarea, select');
  (field ?? (danger ? cancel : go)).focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(isDone);
    });
  });
}

function typedField(wanted: string, go: HTMLButtonElement): HTMLElement {
  const id = uniqueId('typed');
  const input = el('input', {
    id,
    autocomplete: 'off',
    spellcheck: 'false',
    oninput: () => {
      go.disabled = input.value !== wanted;
    },
  });
  return el('div', { class: 'field' }, el('label', { for: id }, 'Type ', el('code', {}, wanted), ' to go on'), input);
}

export interface FieldOptions {
  readonly label: string;
  readonly hint?: string;
}

/** A label, what it labels, and a word of help. */
export function field<Input extends HTMLElement>(options: FieldOptions, input: Input): HTMLElement {
  input.id ||= uniqueId('field');
  const hint =
    options.hint === undefined ? undefined : el('p', { class: 'hint', id: `${input.id}-hint` }, options.hint);
  if (hint !== undefined) input.setAttribute('aria-describedby', hint.id);
  return el('div', { class: 'field' }, el('label', { for: input.id }, options.label), input, hint);
}
