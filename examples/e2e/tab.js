// tab watches the elements that the Tab key reaches. start returns how many it should
// reach, and end returns a sentence for each fault.
var tab = tab ?? {
	name: element => `${element.localName}${element.id ? `#${element.id}` : ""} "${(element.textContent || element.value || "").trim().slice(0, 30)}"`,
	style: element => {
		const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, backgroundColor } = getComputedStyle(element);
		return [outlineStyle === "none" ? "" : outlineWidth + outlineColor, boxShadow, borderColor, backgroundColor].join();
	},
	start() {
		document.activeElement?.blur();
		const all = document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]");
		this.wanted = new Map([...all]
			.filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.disabled && e.tabIndex >= 0)
			.map(e => [e, this.style(e)]));
		this.reached = new Set();
		this.faults = new Set();
		// The key goes on from the last element with the focus. So an element at the top
		// of the page gets it first.
		const top = document.createElement("span");
		top.tabIndex = -1;
		document.body.prepend(top);
		top.focus();
		top.remove();
		document.addEventListener("focusin", this.see);
		return this.wanted.size;
	},
	see({ target }) {
		tab.reached.add(target);
		if (tab.wanted.get(target) === tab.style(target)) tab.faults.add(`${tab.name(target)} has the focus, and looks as without`);
		const box = target.getBoundingClientRect();
		if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) {
			tab.faults.add(`${tab.name(target)} has the focus, and is not in view`);
		}
	},
	end() {
		document.removeEventListener("focusin", this.see);
		for (const element of this.wanted.keys()) {
			// The arrows move between the buttons of a group, of which Tab reaches one.
			const group = element.type === "radio" && [...this.reached].some(other => other.type === "radio" && other.name === element.name);
			if (!this.reached.has(element) && element.isConnected && !group) this.faults.add(`the Tab key does not reach ${this.name(element)}`);
		}
		return [...this.faults];
	},
};
