"""What books and shelves must say at the end of any day, from the log of accepted requests alone: it imports nothing of the product.

Beside receivables, revenue, tax and cash (`request_ledger`) it reckons what orders cost, from quantities, prices and rates; what stock is worth,
first in first out; what comes back, at its share of what it cost and was sold for; what was paid ahead, rate by rate; and how each customer stands.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from request_ledger import Log, RequestLedger, half_up

from month.ahead import Prepayment, divided
from month.shelves import Place, Shelves
from month.sums import largest, share, taxed

Part = tuple[str, int]
"""A shipment, and the place of a line in its order."""


class MonthLedger(RequestLedger):
    """Reads the log of one company from its beginning to its end. `country` says when tax on what is paid ahead is due."""

    def __init__(self, log: Log, country: str = "DE") -> None:
        self._shelves = Shelves()
        self._parts: dict[Part, dict[str, Any]] = {}
        self._ahead: dict[str, Prepayment] = {}
        self._taxes_receipts = country != "JP"
        self.taken_back: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        """By return, net and tax of what was sold and is not any more."""
        super().__init__(log)

    def stock(self, day: str) -> dict[Place, tuple[Fraction, int]]:
        """Quantity and value by place at the end of a day; what is not there any more is left out."""
        return self._shelves.held(day)

    def open_of(self, invoice: str) -> int:
        of = self._invoices[invoice]
        return int(of["total"] - of["paid"] - of["credited"] - sum(amount for _, _, amount in of["deducted"]))

    def deducted(self, prepayment: str) -> int:
        """How much of what was asked for ahead invoices have deducted."""
        return self._ahead[prepayment].deducted

    def total(self, order: str) -> tuple[int, int]:
        """Net and tax of an order."""
        lines = self._orders[order]["lines"]
        return sum(line["net"] for line in lines), sum(line["tax"] for line in lines)

    def standing(self, customer: str) -> dict[str, int]:
        """What a customer has ordered and was not asked for, owes, and paid for nothing yet."""
        ordered = sum(
            sum(self.total(id)) - said.get("settled", 0)
            for id, said in self._orders.items()
            if said["customer"] == customer and not said.get("cancelled")
        )
        theirs = {id: each for id, each in self._invoices.items() if each["customer"] == customer}
        owed = sum(
            self.open_of(id) if id not in self._ahead else self._ahead[id].deducted - each["paid"]
            for id, each in theirs.items()
        )
        ahead = sum(
            each["left"]
            for each in self._payments.values()
            if each["customer"] == customer and each["owner"] == "credit"
        )
        return {"open_orders": ordered, "receivables": owed, "paid_ahead": ahead}

    # Ordering.

    def _ordered(self, said: Mapping[str, Any]) -> None:
        """`lines` as they were asked for: quantity, price of one in minor units, rate of tax; `discount` is a share of the whole."""
        nets = [half_up(Fraction(line["quantity"]) * Fraction(line["unit_price"])) for line in said["lines"]]
        if "discount" in said:
            whole = sum(nets)
            off = half_up(whole * Fraction(said["discount"]))
            parts = largest(off, [Fraction(off * net, whole) for net in nets])
            nets = [net - part for net, part in zip(nets, parts, strict=True)]
        self._bound(said, said["lines"], nets)

    def _exchanged(self, said: Mapping[str, Any]) -> None:
        """So much of the lines of a former order once more, at their price; `quantities` by their places."""
        old = self._orders[said["of"]]
        taken = [(old["lines"][int(at)], quantity) for at, quantity in sorted(said["quantities"].items())]
        lines = [{**line, "quantity": quantity} for line, quantity in taken]
        nets = [half_up(line["net"] * Fraction(quantity) / Fraction(line["quantity"])) for line, quantity in taken]
        self._bound({**said, "customer": old["customer"]}, lines, nets)

    def _bound(self, said: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], nets: Sequence[int]) -> None:
        taxes = taxed(nets, [Fraction(line["rate"]) for line in lines])
        priced = [{**line, "net": net, "tax": tax} for line, net, tax in zip(lines, nets, taxes, strict=True)]
        super()._ordered({**said, "lines": priced})

    def _cancelled(self, said: Mapping[str, Any]) -> None:
        """Nothing of it had left."""
        self._orders[said["order"]] = {**self._orders[said["order"]], "cancelled": True}

    def _settle(self, order: str, amount: int) -> None:
        """So much of an order is asked for, or is never going to be."""
        said = self._orders[order]
        self._orders[order] = {**said, "settled": said.get("settled", 0) + amount}

    # Goods.

    def _received(self, said: Mapping[str, Any]) -> None:
        place, quantity = (said["item"], said["warehouse"]), Fraction(said["quantity"])
        self._shelves.put(place, quantity, said["value"])
        owed = {"opening": "equity", "purchase": "supplied"}[said["reason"]]
        self._stock(said, place, quantity, said["value"], owed)

    def _counted(self, said: Mapping[str, Any]) -> None:
        """Less was there than in the books."""
        place, quantity = (said["item"], said["warehouse"]), Fraction(said["missing"])
        self._stock(said, place, -quantity, -self._shelves.take(place, quantity), "differences")

    def _used(self, said: Mapping[str, Any]) -> None:
        place, quantity = (said["item"], said["warehouse"]), Fraction(said["quantity"])
        self._stock(said, place, -quantity, -self._shelves.take(place, quantity), "usage")

    def _shipped(self, said: Mapping[str, Any]) -> None:
        super()._shipped(said)
        amounts = iter(self._shipments[said["shipment"]][1])
        for at, (line, part) in enumerate(zip(self._orders[said["order"]]["lines"], said["quantities"], strict=True)):
            place, quantity = (line["item"], line["warehouse"]), Fraction(part)
            if quantity:
                cost = self._shelves.take(place, quantity)
                self._stock(said, place, -quantity, -cost, "cost")
                rate, net, tax = next(amounts)
                said_ = {"order": said["order"], "place": place, "rate": rate, "quantity": quantity, "cost": cost}
                none = {"back": Fraction(0), "cost_back": 0, "off": Fraction(0), "net_off": 0, "tax_off": 0}
                self._parts[said["shipment"], at] = {**said_, "net": net, "tax": tax, **none}

    def _stock(self, said: Mapping[str, Any], place: Place, quantity: Fraction, value: int, against: str) -> None:
        self._shelves.note(said["day"], place, quantity, value)
        self._move(said["day"], said["currency"], stock=value, **{against: -value})

    # What comes back.

    def _returned(self, said: Mapping[str, Any]) -> None:
        """`parts`: of a shipment's line, how much is sold again (`restock`) and thrown away (`scrap`)."""
        kept = [{**each, "part": (each["shipment"], each["at"])} for each in said["parts"]]
        for each in kept:
            for what in ("restock", "scrap"):
                self._put_back(said, self._parts[each["part"]], Fraction(each[what]), what)
        wanted = {each["part"]: Fraction(each["restock"]) + Fraction(each["scrap"]) for each in kept}
        billed: set[Part] = set()
        for invoice in sorted(self._invoices):
            lines = self._invoices[invoice]["lines"]
            mine = {at: line for at, line in enumerate(lines) if line.get("part") in wanted}
            billed |= {line["part"] for line in mine.values()}
            quantities = {at: min(wanted[line["part"]], line["quantity"] - line["back"]) for at, line in mine.items()}
            nets = {at: self._part_of(lines[at], quantity) for at, quantity in quantities.items() if quantity}
            if any(nets.values()):
                self._take_back(said, invoice, nets, quantities)
        for part in wanted:
            if part not in billed:
                self._take_off(said, part, wanted[part])

    def _put_back(self, said: Mapping[str, Any], part: dict[str, Any], quantity: Fraction, what: str) -> None:
        """In at its share of what it cost when it left, as the youngest there is; and out again, of itself, where it is thrown away."""
        if not quantity:
            return
        part["back"] += quantity
        value = half_up(part["cost"] * part["back"] / part["quantity"]) - part["cost_back"]
        part["cost_back"] += value
        if what == "restock":
            self._shelves.put(part["place"], quantity, value)
            self._stock(said, part["place"], quantity, value, "cost")
        else:
            self._move(said["day"], said["currency"], cost=-value, usage=value)

    def _take_off(self, said: Mapping[str, Any], id: Part, quantity: Fraction) -> None:
        """It was sold when it left, and is on no invoice, nor ever will be."""
        part = self._parts[id]
        net, tax = (share(part[what], part["off"], quantity, part["quantity"]) for what in ("net", "tax"))
        part["off"], part["net_off"], part["tax_off"] = (
            part["off"] + quantity,
            part["net_off"] + net,
            part["tax_off"] + tax,
        )
        self._move(said["day"], said["currency"], revenue=net, tax=tax, unbilled=-net - tax)
        self._settle(part["order"], net + tax)
        self._note(said, net, tax)

    def _note(self, said: Mapping[str, Any], net: int, tax: int) -> None:
        if "return" in said:
            so_far = self.taken_back[said["return"]]
            so_far[0], so_far[1] = so_far[0] + net, so_far[1] + tax

    # Invoices.

    def _invoiced(self, said: Mapping[str, Any]) -> None:
        """What left with shipments, less what came back of it before."""
        parts = [(id, part) for shipment in said["shipments"] for id, part in self._parts.items() if id[0] == shipment]
        left = [(id, part) for id, part in parts if part["off"] < part["quantity"]]
        nets = [part["net"] - part["net_off"] for _, part in left]
        taxes = taxed(nets, [Fraction(part["rate"]) for _, part in left])
        lines = [
            {"part": id, "order": part["order"], "quantity": part["quantity"] - part["off"], "rate": part["rate"]}
            | {"net": net, "tax": tax}
            for (id, part), net, tax in zip(left, nets, taxes, strict=True)
        ]
        booked = [net + part["tax"] - part["tax_off"] for net, (_, part) in zip(nets, left, strict=True)]
        for amount, (_, part) in zip(booked, left, strict=True):
            self._settle(part["order"], amount)
        customer = self._orders[left[0][1]["order"]]["customer"]
        total = self._issue(said, lines, customer)
        shipped, tax_before = sum(booked), self._deduct(said["invoice"])
        ahead = total - self.open_of(said["invoice"])
        moves = {"receivable": total - ahead, "ahead": ahead - tax_before, "unbilled": -shipped}
        self._move(said["day"], said["currency"], **moves, tax=shipped - total + tax_before)

    def _charged(self, said: Mapping[str, Any]) -> None:
        """A fee, by an invoice of its own."""
        net, rate = said["net"], said["rate"]
        line = {"part": None, "quantity": Fraction(1), "rate": rate, "net": net, "tax": half_up(net * Fraction(rate))}
        total = self._issue(said, [line], said["customer"])
        self._move(said["day"], said["currency"], receivable=total, revenue=-net, tax=net - total)

    def _asked_ahead(self, said: Mapping[str, Any]) -> None:
        """A share of an order, tax included, at each rate as there is of it."""
        order = self._orders[said["order"]]
        rooms: dict[str, int] = {}
        for line in order["lines"]:
            rooms[line["rate"]] = rooms.get(line["rate"], 0) + line["net"] + line["tax"]
        lines = divided(half_up(Fraction(said["share"]) * sum(rooms.values())), rooms)
        self._ahead[said["invoice"]] = Prepayment(said["order"], lines, self._taxes_receipts)
        kept = [{"part": None, "quantity": Fraction(1), "rate": r, "net": g - t, "tax": t} for r, g, t in lines]
        total = self._issue(said, kept, order["customer"])
        self._move(said["day"], said["currency"], receivable=total, ahead=-total)

    def _issue(self, said: Mapping[str, Any], lines: Iterable[dict[str, Any]], customer: str) -> int:
        kept = [{**line, "credited": 0, "back": Fraction(0)} for line in lines]
        total: int = sum(line["net"] + line["tax"] for line in kept)
        about = {"currency": said["currency"], "day": said["day"], "total": total, "lines": kept, "customer": customer}
        none = {"paid": 0, "credited": 0, "credited_tax": defaultdict(int), "deducted": []}
        self._invoices[said["invoice"]] = {**about, **none}
        return total

    # What was paid ahead.

    def _deduct(self, invoice: str) -> int:
        """Take what came in ahead for its orders off an invoice, the oldest first. Returns the tax on it that was due before."""
        of = self._invoices[invoice]
        asked: dict[tuple[str, str], int] = defaultdict(int)
        for line in of["lines"]:
            asked[line["order"], line["rate"]] += line["net"] + line["tax"]
        due = 0
        for id in sorted(self._ahead):
            ahead = self._ahead[id]
            if self.open_of(id) == 0 and not self._invoices[id]["paid"]:
                continue  # all of it was taken back
            before = ahead.tax_due
            for at, line in enumerate(ahead.lines):
                amount = min(line.received - line.deducted, asked.get((ahead.order, line.rate), 0))
                if amount > 0:
                    asked[ahead.order, line.rate] -= amount
                    line.deducted += amount
                    of["deducted"].append((id, at, amount))
            due += before - ahead.tax_due
        return due

    def _release(self, invoice: str, amount: int) -> int:
        """Let so much of what an invoice deducted be paid ahead again, the newest first. Returns the tax on it that is due by that."""
        of, due = self._invoices[invoice], 0
        while amount:
            id, at, whole = of["deducted"].pop()
            part, ahead = min(amount, whole), self._ahead[id]
            before = ahead.tax_due
            ahead.lines[at].deducted -= part
            ahead.keep(self._invoices[id]["paid"])
            due += ahead.tax_due - before
            if part < whole:
                of["deducted"].append((id, at, whole - part))
            amount -= part
        return due

    def _paid_ahead(self, invoice: str, day: str) -> None:
        """The tax in what is paid of a prepayment is due with it."""
        if invoice in self._ahead:
            ahead, of = self._ahead[invoice], self._invoices[invoice]
            before = ahead.tax_due
            ahead.keep(of["paid"])
            due = ahead.tax_due - before
            self._move(day, of["currency"], ahead=due, tax=-due)

    # Payments.

    def _paid(self, said: Mapping[str, Any]) -> None:
        super()._paid(said)
        self._payments[said["payment"]]["customer"] = said["customer"]

    def _assigned(self, said: Mapping[str, Any]) -> None:
        super()._assigned(said)
        self._payments[said["payment"]]["customer"] = said["customer"]

    def _refunded(self, said: Mapping[str, Any]) -> None:
        """All of a payment that is for nothing goes back; it is noted as going back is."""
        self._reversed(said)

    def _bounced(self, said: Mapping[str, Any]) -> None:
        """The bank took a payment back: what it was for is open again."""
        theirs = [each for each in self._allocations if each["payment"] == said["payment"]]
        for allocation in sorted(theirs, key=lambda each: str(each["invoice"])):
            self._free(allocation, said["day"])
        self._reversed(said)

    def _allocate(self, payment: str, invoice: str, day: str, amount: int | None = None) -> None:
        super()._allocate(payment, invoice, day, amount)
        self._paid_ahead(invoice, day)

    def _free(self, allocation: dict[str, Any], day: str) -> None:
        super()._free(allocation, day)
        self._paid_ahead(allocation["invoice"], day)

    # Taking back.

    def _credited(self, said: Mapping[str, Any]) -> None:
        """`nets` by the place of the line, or `quantities`; all that is left without them."""
        id = said["invoice"]
        of, lines = self._invoices[id], self._invoices[id]["lines"]
        if id in self._ahead:
            self._call_off(said, id)
            return
        quantities = {int(at): Fraction(each) for at, each in said.get("quantities", {}).items()}
        nets = {int(at): net for at, net in said["nets"].items()}
        nets |= {at: self._part_of(lines[at], quantity) for at, quantity in quantities.items()}
        if not nets:
            nets = {at: line["net"] - line["credited"] for at, line in enumerate(of["lines"])}
            quantities = {at: line["quantity"] - line["back"] for at, line in enumerate(lines)}
        self._take_back(said, id, nets, quantities)

    def _part_of(self, line: Mapping[str, Any], quantity: Fraction) -> int:
        """Its share of what a line asked for, and no more than is left of that."""
        asked = share(line["net"], line["back"], quantity, line["quantity"])
        return int(min(asked, line["net"] - line["credited"]))

    def _take_back(
        self, said: Mapping[str, Any], id: str, nets: Mapping[int, int], quantities: Mapping[int, Fraction]
    ) -> None:
        of, net, tax = self._invoices[id], sum(nets.values()), 0
        for rate in sorted({line["rate"] for line in of["lines"]}):
            alike = [(at, line) for at, line in enumerate(of["lines"]) if line["rate"] == rate]
            if any(at in nets for at, _ in alike):
                whole, all_tax = sum(line["net"] for _, line in alike), sum(line["tax"] for _, line in alike)
                after = sum(line["credited"] + nets.get(at, 0) for at, line in alike)
                due = all_tax if after == whole else half_up(Fraction(all_tax * after, whole))
                tax += due - of["credited_tax"][rate]
                of["credited_tax"][rate] = due
        beyond = max(net + tax - self.open_of(id), 0)
        freed = min(beyond, of["paid"])
        self._give_free(id, freed, said["day"])
        released = beyond - freed
        released_tax = self._release(id, released)
        for at, amount in nets.items():
            of["lines"][at]["credited"] += amount
        for at, quantity in quantities.items():
            of["lines"][at]["back"] += quantity
        of["credited"] += net + tax
        moves = {"revenue": net, "tax": tax - released_tax, "ahead": released_tax - released}
        self._move(said["day"], of["currency"], **moves, receivable=released - net - tax)
        self._note(said, net, tax)

    def _call_off(self, said: Mapping[str, Any], id: str) -> None:
        """Of what was asked for ahead, all that no invoice deducted."""
        of, ahead = self._invoices[id], self._ahead[id]
        parts = [line.gross - line.deducted - line.credited for line in ahead.lines]
        total = sum(parts)
        self._give_free(id, max(total - self.open_of(id), 0), said["day"])
        for line, part in zip(ahead.lines, parts, strict=True):
            line.credited += part
        of["credited"] += total
        self._move(said["day"], of["currency"], ahead=total, receivable=-total)

    def _give_free(self, invoice: str, amount: int, day: str) -> None:
        """Of what was paid for it, from the newest payment back."""
        for allocation in [each for each in reversed(self._allocations) if each["invoice"] == invoice]:
            if amount <= 0:
                break
            settled = allocation["amount"]
            self._free(allocation, day)
            if settled > amount:
                self._allocate(allocation["payment"], invoice, day, settled - amount)
            amount -= settled
