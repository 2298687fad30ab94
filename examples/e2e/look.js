// look finds faults in the looks of a page, and returns a sentence for each one. It is
// evaluated in the page, and judges the elements of the document that are not hidden.
(() => {
	const faults = new Set(), root = document.documentElement;
	const name = element => {
		const text = (element.textContent || element.value || element.placeholder || "").trim().slice(0, 30);
		const classes = [...element.classList].map(c => `.${c}`).join("");
		return `${element.localName}${element.id ? `#${element.id}` : ""}${classes} "${text}"`;
	};
	const visible = element => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });

	// --- the document ------------------------------------------------------------------

	if (!document.title.trim()) faults.add("there is no title");
	if (!root.lang) faults.add("there is no lang");
	const width = root.clientWidth; // of the window; a phone's innerWidth grows with a wide element
	if (root.scrollWidth > width) faults.add(`the page is ${root.scrollWidth} px wide, and the window ${width} px`);
	for (const { name } of performance.getEntriesByType("resource")) {
		if (new URL(name).origin !== location.origin) faults.add(`${name} is loaded from elsewhere`);
	}

	// --- colours -----------------------------------------------------------------------

	const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
	const rgba = colour => {
		pen.clearRect(0, 0, 1, 1);
		pen.fillStyle = colour;
		pen.fillRect(0, 0, 1, 1);
		const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
		return [r, g, b, a / 255];
	};
	const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
	// behind returns the colour that lies behind the text of an element.
	const behind = element => {
		if (!element) return over(rgba("Canvas"), [255, 255, 255]);
		const colour = rgba(getComputedStyle(element).backgroundColor);
		return colour[3] === 1 ? colour : over(colour, behind(element.parentElement));
	};
	const opacity = element => element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1;
	const luminance = colour => {
		const [r, g, b] = colour.map(c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
		return .2126 * r + .7152 * g + .0722 * b;
	};
	// judge compares the colour of a text with its background, by WCAG 2: 4.5 is the
	// least contrast, and 3 for large text.
	const judge = (element, style, what) => {
		const back = behind(element), [r, g, b, a] = rgba(style.color);
		const [dark, light] = [luminance(back), luminance(over([r, g, b, a * opacity(element)], back))].sort((x, y) => x - y);
		const ratio = (light + .05) / (dark + .05), size = parseFloat(style.fontSize);
		const least = size >= 24 || size >= 18.66 && style.fontWeight >= 700 ? 3 : 4.5;
		if (ratio < least) faults.add(`${what} has a contrast of ${ratio.toFixed(1)} to 1`);
	};

	// --- texts -------------------------------------------------------------------------

	// scrolls tells whether the reader can scroll to contents outside of an element's
	// box.
	const scrolls = (element, way) => ["auto", "scroll"].includes(getComputedStyle(element)[`overflow${way}`]);
	const clips = (element, way) => ["hidden", "clip"].includes(getComputedStyle(element)[`overflow${way}`]);
	const clipped = style => style.position === "absolute" && style.clipPath !== "none"; // it is for screen readers

	// isCut tells whether a part of a box cannot be seen, even by scrolling.
	const isCut = (box, element) => {
		let x = true, y = true; // whether the ways are still to be judged
		for (let at = element; at && at !== root; at = at.parentElement) {
			const edge = at.getBoundingClientRect();
			if (scrolls(at, "X")) x = false;
			if (scrolls(at, "Y")) y = false;
			if (x && clips(at, "X") && (box.left < edge.left - 1 || box.right > edge.right + 1)) return true;
			if (y && clips(at, "Y") && (box.top < edge.top - 1 || box.bottom > edge.bottom + 1)) return true;
			if (getComputedStyle(at).position === "fixed") break;
		}
		return x && (box.left < -1 || box.right > width + 1) || y && box.top + scrollY < -1;
	};

	// spills tells whether a text goes on beside the card or the button that it stands
	// in.
	const spills = (box, element) => {
		for (let at = element; at && at !== document.body && !scrolls(at, "X"); at = at.parentElement) {
			const style = getComputedStyle(at), padding = parseFloat(style.paddingRight) + parseFloat(style.borderRightWidth);
			if (style.display !== "inline" && parseFloat(style.borderRightWidth) > 0) {
				return box.right > at.getBoundingClientRect().right - padding + 1;
			}
		}
		return false;
	};

	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
	for (let text; text = texts.nextNode();) {
		const element = text.parentElement, style = getComputedStyle(element);
		if (!text.data.trim() || !visible(element) || ["script", "style", "noscript", "option", "title"].includes(element.localName)) continue;
		let hidden = false;
		for (let at = element; at; at = at.parentElement) hidden ||= clipped(getComputedStyle(at));
		if (hidden) continue;
		judge(element, style, name(element));
		range.selectNodeContents(text);
		const boxes = [...range.getClientRects()].filter(box => box.width > 0);
		if (boxes.some(box => isCut(box, element))) faults.add(`${name(element)} is cut off`);
		else if (boxes.some(box => spills(box, element))) faults.add(`${name(element)} has no room in its frame`);
		const size = parseFloat(style.fontSize);
		if (size < 11) faults.add(`${name(element)} is ${size} px high`);
	}

	const controls = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
		.filter(c => visible(c) && !c.disabled && c.tabIndex >= 0);
	for (const control of controls) {
		const style = getComputedStyle(control), box = control.getBoundingClientRect();
		if (isCut(box, control.parentElement)) faults.add(`${name(control)} is cut off`);
		if (!label(control)) faults.add(`${name(control)} has no name`);
		if (control.placeholder && !control.value) {
			const faint = getComputedStyle(control, "::placeholder");
			judge(control, faint, `the placeholder of ${name(control)}`);
			pen.font = style.font;
			const room = control.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
			if (pen.measureText(control.placeholder).width > room + 1) faults.add(`the placeholder of ${name(control)} is cut off`);
		}
		// By WCAG 2.2, a control for fingers is at least 24 px large, unless it stands in
		// a text.
		const touched = control.closest("label")?.getBoundingClientRect() ?? box;
		if (style.display !== "inline" && (touched.width < 24 || touched.height < 24)) {
			faults.add(`${name(control)} is ${Math.round(touched.width)} px by ${Math.round(touched.height)} px, too small for a finger`);
		}
	}
	// label returns the name by which a screen reader calls a control.
	function label(control) {
		return control.getAttribute("aria-label") || control.getAttribute("aria-labelledby") || control.title ||
			control.labels?.length || control.textContent.trim() || control.alt;
	}
	return [...faults];
})()
