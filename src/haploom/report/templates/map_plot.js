// One plot of the map: canvases of its axes, of its points, and of what changes with the pointer, upon each other.

const REACH_PX = 12; // how near to a point the pointer must be; the side of a cell of the index too
const MARGIN_PX = 40; // left and below, for the numbers of the axes
const PATIENCE_MS = 25; // a frame that takes longer is drawn of fewer points while the map moves
const ELLIPSE_SD = Math.sqrt(-2 * Math.log(0.05)); // holds 95 % of a Gaussian in two dimensions
const [LEAST_ZOOM, MOST_ZOOM] = [1e-2, 1e6]; // coordinates have 7 digits: further in, the view would shrink to nothing
const MOST_ELLIPSES = 1000; // all would hide each other

// map: what plots share: n rows, order, shown, chosen (or null), hovered, level(), styleOf(row), theme(), allEllipses,
// mode, radius (in CSS pixels), and hover(row, plot), choose(rows), changed on a person's act. keep: person -> whether this plot shows them.
class Plot {
  constructor(map, source, title, keep) {
    Object.assign(this, { map, source, keep });
    this.figure = document.createElement("figure");
    this.figure.className = "panel";
    const caption = this.figure.appendChild(document.createElement("figcaption"));
    caption.appendChild(document.createElement("h2")).textContent = title;
    const whole = caption.appendChild(document.createElement("button"));
    whole.textContent = "whole";
    whole.addEventListener("click", () => { this.fit(); this.draw(); });
    this.box = this.figure.appendChild(document.createElement("div"));
    this.box.className = "plot";
    this.axes = this.box.appendChild(document.createElement("canvas"));
    this.points = this.box.appendChild(document.createElement("canvas"));
    this.above = this.box.appendChild(document.createElement("canvas"));
    this.above.setAttribute("role", "img");
    this.above.setAttribute("aria-label", `${title}: ${source.xName} and ${source.yName}`);
    this.lasso = null;
    this.lastFull_ms = 0;
    this.listen();
  }

  shows(row) {
    return this.map.shown[row] && this.keep(this.map.personOf(row));
  }

  // The view that holds all rows of this plot, hidden labels too: hiding one moves nothing.
  fit() {
    const { x, y } = this.source;
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let row = 0; row < this.map.n; row++) {
      if (!this.keep(this.map.personOf(row)) || !Number.isFinite(x[row]) || !Number.isFinite(y[row])) continue;
      if (x[row] < left) left = x[row];
      if (x[row] > right) right = x[row];
      if (y[row] < low) low = y[row];
      if (y[row] > high) high = y[row];
    }
    if (left > right) [left, right, low, high] = [0, 1, 0, 1];
    const spare = (a, b) => 0.05 * (b - a) || Math.abs(a) * 0.05 || 1;
    const [dx, dy] = [spare(left, right), spare(low, high)];
    this.view = { left: left - dx, right: right + dx, low: low - dy, high: high + dy };
    this.whole = right - left + 2 * dx;
  }

  // Called when the box has a size or gets another.
  resize() {
    const ratio = window.devicePixelRatio || 1;
    [this.width, this.height, this.ratio] = [this.box.clientWidth, this.box.clientHeight, ratio];
    for (const canvas of [this.axes, this.points, this.above]) {
      canvas.width = Math.round(this.width * ratio);
      canvas.height = Math.round(this.height * ratio);
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.draw();
  }

  scale() {
    const { left, right, low, high } = this.view;
    return [(this.width - MARGIN_PX) / (right - left), (this.height - MARGIN_PX) / (high - low)];
  }

  toPixels(x, y) {
    const [sx, sy] = this.scale();
    return [MARGIN_PX + (x - this.view.left) * sx, (this.view.high - y) * sy];
  }

  toData(px, py) {
    const [sx, sy] = this.scale();
    return [this.view.left + (px - MARGIN_PX) / sx, this.view.high - py / sy];
  }

  draw(moving = false) {
    if (!this.width) return;
    const started = performance.now();
    this.drawAxes();
    this.drawPoints(moving ? Math.max(1, Math.ceil(this.lastFull_ms / PATIENCE_MS)) : 1);
    if (!moving) {
      this.lastFull_ms = performance.now() - started;
      this.index = null;
      clearTimeout(this.indexing);
      this.indexing = setTimeout(() => this.makeIndex(), 60); // so that the first hover does not wait for it
    }
    this.drawAbove();
  }

  // Every step-th point. Pixels are blended here, which in 100,000 calls of a canvas would take most of a second.
  drawPoints(step) {
    const { map, source, ratio } = this;
    const context = this.points.getContext("2d");
    const image = context.createImageData(this.points.width, this.points.height);
    const area = {
      pixels: image.data, across: image.width, left: Math.round(MARGIN_PX * ratio), right: image.width,
      bottom: Math.round((this.height - MARGIN_PX) * ratio),
    };
    const [sx, sy] = this.scale().map((each) => each * ratio);
    const [left, top] = [this.view.left - area.left / sx, this.view.high];
    const { styles, codes } = map.level();
    // Those chosen are painted last, above the others, which are then faint.
    for (const last of map.chosen ? [false, true] : [true]) {
      const stamps = styles.map((style) => stampOf(style, map.radius * ratio, last ? 0.75 : 0.12));
      for (let i = 0; i < map.n; i += step) {
        const row = map.order[i];
        if ((map.chosen && !!map.chosen[row] !== last) || !this.shows(row)) continue;
        const px = (source.x[row] - left) * sx;
        const py = (top - source.y[row]) * sy;
        if (px > 0 && px < area.right && py > -REACH_PX && py < this.points.height) blend(area, px, py, stamps[codes[map.personOf(row)]]);
      }
    }
    context.putImageData(image, 0, 0);
  }

  drawAxes() {
    const context = this.axes.getContext("2d");
    const theme = this.map.theme();
    context.clearRect(0, 0, this.width, this.height);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = theme.soft;
    context.strokeStyle = theme.rule;
    context.lineWidth = 1;
    const { left, right, low, high } = this.view;
    const [bottom, edge] = [this.height - MARGIN_PX, this.width];
    context.textAlign = "center";
    for (const { value, text } of ticks(left, right, (edge - MARGIN_PX) / 90)) {
      const [px] = this.toPixels(value, low);
      line(context, px, 0, px, bottom);
      if (px < edge - 15) context.fillText(text, px, bottom + 14);
    }
    context.textAlign = "right";
    for (const { value, text } of ticks(low, high, bottom / 60)) {
      const [, py] = this.toPixels(left, value);
      line(context, MARGIN_PX, py, edge, py);
      if (py > 8) context.fillText(text, MARGIN_PX - 4, py + 4);
    }
    context.textAlign = "center";
    context.fillStyle = theme.ink;
    context.fillText(this.source.xName, (edge + MARGIN_PX) / 2, this.height - 8);
    context.save();
    context.translate(11, bottom / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(this.source.yName, 0, 0);
    context.restore();
  }

  // Rings around the row under the pointer and the person's other one, ellipses, the lasso.
  drawAbove() {
    const { map, source } = this;
    const context = this.above.getContext("2d");
    const theme = map.theme();
    context.clearRect(0, 0, this.width, this.height);
    context.save();
    context.beginPath();
    context.rect(MARGIN_PX, 0, this.width - MARGIN_PX, this.height - MARGIN_PX);
    context.clip();
    if (source.ellipse) for (const row of this.rowsWithEllipse()) this.drawEllipse(context, row);
    if (map.hovered !== null) {
      for (const row of map.rowsOf(map.personOf(map.hovered))) {
        if (!this.shows(row)) continue;
        const [px, py] = this.toPixels(source.x[row], source.y[row]);
        context.strokeStyle = theme.ink;
        context.lineWidth = row === map.hovered ? 2.5 : 1;
        context.beginPath();
        context.arc(px, py, map.radius + 4, 0, 2 * Math.PI);
        context.stroke();
      }
    }
    if (this.lasso) {
      context.strokeStyle = theme.accent;
      context.lineWidth = 1.5;
      context.setLineDash([5, 4]);
      context.beginPath();
      for (const [px, py] of this.lasso) context.lineTo(px, py);
      context.closePath();
      context.stroke();
    }
    context.restore();
  }

  *rowsWithEllipse() {
    const { map } = this;
    let left = MOST_ELLIPSES;
    for (let i = 0; i < map.n && left > 0; i++) {
      const row = map.order[i];
      if (row === map.hovered || !(map.allEllipses || (map.chosen && map.chosen[row])) || !this.shows(row)) continue;
      left--;
      yield row;
    }
    if (map.hovered !== null && this.shows(map.hovered)) yield map.hovered;
  }

  drawEllipse(context, row) {
    const [sx, sy] = this.scale();
    const { xx, xy, yy } = this.source.ellipse;
    // The covariance in pixels, y down; its eigenvalues are the squares of the half axes.
    const [a, b, c] = [xx[row] * sx * sx, -xy[row] * sx * sy, yy[row] * sy * sy];
    const middle = (a + c) / 2;
    const apart = Math.hypot((a - c) / 2, b);
    const [px, py] = this.toPixels(this.source.x[row], this.source.y[row]);
    context.strokeStyle = this.map.styleOf(row).colour;
    context.lineWidth = row === this.map.hovered ? 2 : 1;
    context.globalAlpha = row === this.map.hovered ? 1 : 0.5;
    context.beginPath();
    const halves = [middle + apart, Math.max(0, middle - apart)].map((value) => ELLIPSE_SD * Math.sqrt(value));
    context.ellipse(px, py, halves[0], halves[1], Math.atan2(2 * b, a - c) / 2, 0, 2 * Math.PI);
    context.stroke();
    context.globalAlpha = 1;
  }

  // Rows by cells of the canvas: `rows` sorted by cell, `start[cell]` their first place.
  makeIndex() {
    const { map, source, width, height } = this;
    const across = Math.ceil(width / REACH_PX) + 1;
    const n_cells = across * (Math.ceil(height / REACH_PX) + 1);
    const [sx, sy] = this.scale();
    const cells = new Int32Array(map.n).fill(-1);
    const start = new Uint32Array(n_cells + 1);
    for (let row = 0; row < map.n; row++) {
      const px = MARGIN_PX + (source.x[row] - this.view.left) * sx;
      const py = (this.view.high - source.y[row]) * sy;
      if (!(px >= MARGIN_PX && px < width && py >= 0 && py < height - MARGIN_PX) || !this.shows(row)) continue;
      cells[row] = Math.floor(py / REACH_PX) * across + Math.floor(px / REACH_PX);
      start[cells[row] + 1]++;
    }
    for (let cell = 0; cell < n_cells; cell++) start[cell + 1] += start[cell];
    const next = start.slice();
    const rows = new Uint32Array(start[n_cells]);
    for (let row = 0; row < map.n; row++) if (cells[row] >= 0) rows[next[cells[row]]++] = row;
    this.index = { across, start, rows };
  }

  // The row nearest to a place, or null where none is within reach.
  nearest(px, py) {
    if (!this.index) this.makeIndex();
    const { across, start, rows } = this.index;
    const { x, y } = this.source;
    const [sx, sy] = this.scale();
    const { left, high } = this.view;
    let [best, least] = [null, REACH_PX * REACH_PX];
    const [column, line] = [Math.floor(px / REACH_PX), Math.floor(py / REACH_PX)];
    for (let v = Math.max(0, line - 1); v <= line + 1; v++) {
      for (let u = Math.max(0, column - 1); u <= Math.min(across - 1, column + 1); u++) {
        const cell = v * across + u;
        if (cell >= start.length - 1) continue;
        for (let i = start[cell]; i < start[cell + 1]; i++) {
          const across_px = MARGIN_PX + (x[rows[i]] - left) * sx - px;
          const down_px = (high - y[rows[i]]) * sy - py;
          const distance = across_px * across_px + down_px * down_px;
          if (distance < least) [best, least] = [rows[i], distance];
        }
      }
    }
    return best;
  }

  zoomAt(px, py, factor) {
    const [x, y] = this.toData(px, py);
    const { left, right, low, high } = this.view;
    const zoom = this.whole / ((right - left) * factor);
    if (factor < 1 ? zoom > MOST_ZOOM : zoom < LEAST_ZOOM) return;
    this.view = {
      left: x - (x - left) * factor, right: x + (right - x) * factor,
      low: y - (y - low) * factor, high: y + (high - y) * factor,
    };
    this.drawMoving();
  }

  // At most once a frame, and in full once the map rests.
  drawMoving() {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(true); });
    clearTimeout(this.resting);
    clearTimeout(this.indexing);
    this.resting = setTimeout(() => this.draw(), 150);
  }

  listen() {
    const place = (event) => {
      const box = this.box.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    let from = null;
    this.box.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.box.setPointerCapture(event.pointerId);
      from = place(event);
      if ((this.map.mode === "lasso") !== event.shiftKey) this.lasso = [from];
      this.map.hover(null);
    });
    this.box.addEventListener("pointermove", (event) => {
      const at = place(event);
      if (this.lasso) {
        this.lasso.push(at);
        this.drawAbove();
      } else if (from) {
        const [x0, y0] = this.toData(...from);
        const [x1, y1] = this.toData(...at);
        const { left, right, low, high } = this.view;
        this.view = { left: left + x0 - x1, right: right + x0 - x1, low: low + y0 - y1, high: high + y0 - y1 };
        from = at;
        this.drawMoving();
      } else {
        this.map.hover(this.nearest(...at), this, event);
      }
    });
    const end = () => {
      const lasso = this.lasso;
      from = this.lasso = null;
      if (lasso && lasso.length > 2) this.map.choose(this.rowsInside(lasso));
      else this.drawAbove();
    };
    this.box.addEventListener("pointerup", end);
    this.box.addEventListener("pointercancel", end);
    this.box.addEventListener("pointerleave", () => this.map.hover(null));
    this.box.addEventListener("dblclick", () => { this.fit(); this.draw(); });
    this.box.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomAt(...place(event), Math.exp(Math.max(-1, Math.min(1, event.deltaY / 400))));
    }, { passive: false });
  }

  // Rows within a polygon, by the even-odd rule.
  rowsInside(polygon) {
    const inside = [];
    for (let row = 0; row < this.map.n; row++) {
      if (!this.shows(row)) continue;
      const [x, y] = this.toPixels(this.source.x[row], this.source.y[row]);
      let odd = false;
      for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
        const [[ax, ay], [bx, by]] = [polygon[i], polygon[j]];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
      }
      if (odd) inside.push(row);
    }
    return inside;
  }
}
