import { el, uniqueId } from './dom.ts';

export interface VirtualListOptions<Row> {
  readonly label: string;
  readonly rowHeight: number;
  /** What a row shows; it is made anew each time that it comes into view. */
  readonly render: (row: Row) => HTMLElement;
  /** Enter, or a click. */
  readonly open: (row: Row) => void;
  /** The end is near: there may be more. */
  readonly onEnd?: () => void;
  readonly isSelected?: (row: Row) => boolean;
  /** Further keys; returns whether it did something. */
  readonly onKey?: (event: KeyboardEvent, row: Row | undefined) => boolean;
}

/** Rows beyond both edges of the view, so that scrolling shows no gap. */
const overscan = 8;
/** Browsers draw no element that is higher than some 33 million pixels. */
const heightMax = 30_000_000;

/** A list of any length that draws only what is in view; for keyboards a list box (WAI-ARIA APG, "Listbox"). */
export class VirtualList<Row> {
  readonly element: HTMLElement;
  readonly #options: VirtualListOptions<Row>;
  readonly #canvas: HTMLElement;
  readonly #drawn = new Map<number, HTMLElement>();
  readonly #id = uniqueId('list');
  #rows: readonly Row[] = [];
  #active = -1;

  constructor(options: VirtualListOptions<Row>, signal: AbortSignal) {
    this.#options = options;
    this.#canvas = el('div', { class: 'virtual-canvas', role: 'presentation' });
    this.element = el(
      'div',
      {
        class: 'virtual-list',
        role: 'listbox',
        tabindex: 0,
        'aria-label': options.label,
        onscroll: () => this.#draw(),
        onkeydown: (event: KeyboardEvent) => this.#onKey(event),
        onclick: (event: MouseEvent) => this.#onClick(event),
      },
      this.#canvas,
    );
    const observer = new ResizeObserver(() => this.#draw());
    observer.observe(this.element);
    signal.addEventListener('abort', () => observer.disconnect());
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Shows other rows; `keep`: they go on where the present ones end, or have changed in place. */
  setRows(rows: readonly Row[], { keep }: { readonly keep: boolean }): void {
    this.#rows = rows;
    if (!keep) {
      this.#active = -1;
      this.element.scrollTop = 0;
    }
    this.#active = Math.min(this.#active, rows.length - 1);
    this.redraw();
  }

  /** Draws all rows in view anew: what they show has changed. */
  redraw(): void {
    for (const row of this.#drawn.values()) row.remove();
    this.#drawn.clear();
    this.#draw();
  }

  focus(): void {
    this.element.focus();
    if (this.#active === -1 && this.#rows.length > 0) this.#activate(0);
  }

  #draw(): void {
    const { rowHeight, onEnd } = this.#options;
    const { scrollTop, clientHeight } = this.element;
    const height = Math.min(this.#rows.length * rowHeight, heightMax);
    this.#canvas.style.height = `${height}px`;
    const first = Math.max(0, Math.floor(scrollTop / rowHeight) - overscan);
    const last = Math.min(this.#rows.length, Math.ceil((scrollTop + clientHeight) / rowHeight) + overscan);
    for (const [index, row] of this.#drawn) {
      if (index >= first && index < last) continue;
      row.remove();
      this.#drawn.delete(index);
    }
    for (let index = first; index < last; index++) if (!this.#drawn.has(index)) this.#drawRow(index);
    if (last >= this.#rows.length - overscan) onEnd?.();
  }

  #drawRow(index: number): void {
    const row = this.#rows[index];
    if (row === undefined) return;
    const element = this.#options.render(row);
    element.id = `${this.#id}-${index}`;
    element.classList.add('virtual-row');
    element.classList.toggle('active', index === this.#active);
    element.dataset['index'] = `${index}`;
    element.setAttribute('role', 'option');
    element.setAttribute('aria-posinset', `${index + 1}`);
    element.setAttribute('aria-setsize', `${this.#rows.length}`);
    element.setAttribute('aria-selected', `${this.#options.isSelected?.(row) ?? false}`);
    element.style.height = `${this.#options.rowHeight}px`;
    element.style.transform = `translateY(${index * this.#options.rowHeight}px)`;
    this.#canvas.append(element);
    this.#drawn.set(index, element);
  }

  #activate(index: number): void {
    const { rowHeight } = this.#options;
    this.#drawn.get(this.#active)?.classList.remove('active');
    this.#active = Math.max(0, Math.min(index, this.#rows.length - 1));
    const top = this.#active * rowHeight;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + rowHeight > scrollTop + clientHeight) this.element.scrollTop = top + rowHeight - clientHeight;
    this.#draw();
    this.#drawn.get(this.#active)?.classList.add('active');
    this.element.setAttribute('aria-activedescendant', `${this.#id}-${this.#active}`);
  }

  #onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const row = this.#rows[this.#active];
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.#options.rowHeight) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: Number.NEGATIVE_INFINITY,
      End: Number.POSITIVE_INFINITY,
    };
    const step = steps[event.key];
    if (step !== undefined) this.#activate(this.#active + step);
    else if (event.key === 'Enter' && row !== undefined) this.#options.open(row);
    else if (!this.#options.onKey?.(event, row)) return;
    event.preventDefault();
  }

  #onClick(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>('.virtual-row') : null;
    const index = Number(target?.dataset['index'] ?? -1);
    const row = this.#rows[index];
    if (row === undefined) return;
    this.#activate(index);
    this.#options.open(row);
  }
}
