"""The run-length code of Label Studio's brush, written by its description."""


class BitWriter:
    """Bits, from the highest of each byte on."""

    def __init__(self):
        self.bits = ''

    def number(self, value, length):
        self.bits += format(value, f'0{length}b')

    def data(self):
        padded = self.bits + '0' * (-len(self.bits) % 8)
        return int(padded, 2).to_bytes(len(padded) // 8, 'big') if padded else b''


def encode(values, length, counters, draw_runs):
    """The code of values of ``length`` bits.

    Args:
        values: of all channels.
        length: bits of a value.
        counters: the four lengths of a counter.
        draw_runs: says for a place and the values that are equal from there on whether to write a
            run, how long, and which counter to use.
    """
    writer = BitWriter()
    writer.number(len(values), 32)
    writer.number(length - 1, 5)
    for counter in counters:
        writer.number(counter - 1, 4)
    place = 0
    while place < len(values):
        equal = 1
        while place + equal < len(values) and values[place + equal] == values[place]:
            equal += 1
        is_run, count, which = draw_runs(place, equal)
        count = min(count, equal if is_run else len(values) - place, 2 ** counters[which])
        writer.number(is_run, 1)
        writer.number(which, 2)
        writer.number(count - 1, counters[which])
        for value in values[place : place + (1 if is_run else count)]:
            writer.number(int(value), length)
        place += count
    return writer.data()
