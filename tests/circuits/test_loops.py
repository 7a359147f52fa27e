"""Loop benches against hand calculation, step responses against a transient, lines against sums of cells."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits.array.network import port_network
from circuits.array.select_transistor import SelectTransistor
from circuits.array.wires import Wires
from circuits.board.layer import LayerSpec
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.errors import CircuitError
from circuits.loops.bench import Surroundings, loop_deck, read_loops
from circuits.loops.board_loops import C_OUT, Z_O
from circuits.loops.gain import LoopGain, loop_gain
from circuits.loops.line import Line, layer_lines
from circuits.loops.probe import probed
from circuits.netlist.deck import write_files
from circuits.parts import part_path, subcircuit_parameters
from circuits.stages.clamp import clamp
from circuits.stages.tia import tia

GBW = subcircuit_parameters("opa4990")["gbw"]


def two_poles(unity, *poles):
    """Crossover [Hz] and margin [deg] of unity / (j f) with more poles, as one does it on paper."""
    f = unity
    for _ in range(200):
        f = 0.5 * (f + unity / np.prod([np.hypot(1.0, f / p) for p in poles]))
    return f, 90.0 - sum(np.degrees(np.arctan(f / p)) for p in poles)


def parallel(*ohms):
    return 1.0 / sum(1.0 / r for r in ohms)


@pytest.fixture
def measure(tmp_path):
    def measured(stage, *places):
        deck = loop_deck("loops", stage, places)
        write_files(tmp_path, deck.files())
        return read_loops(run(Job(deck=tmp_path / "loops.cir", timeout=60)), stage, len(places))
    return measured


@pytest.mark.parametrize("c_line", [32e-15, 3.9e-9])
def test_tia_on_its_source_line(measure, c_line):
    """beta = 1 / (1 + r_f G) with a pole where the line's capacitance meets r_f and 1/G; the op-amp's Z_o sees the load."""
    r_f, g, r_load = 10e3, 1e-3, 10e3
    place = Surroundings(drive=0.0, r_drive=1 / g, c_input=c_line, load=Line(g=1 / r_load), parameters={"r_f": r_f})
    (one,) = measure("tia", place)
    load = parallel(r_load, r_f + 1 / g)
    noise_gain = 1 + r_f * g
    unity = GBW / noise_gain * load / (load + Z_O)
    # 9 pF of the op-amp's input stand beside the line; c_out sees Z_o and the load
    summing, output = (g + 1 / r_f) / (2 * np.pi * (c_line + 9e-12)), 1 / (2 * np.pi * parallel(Z_O, load) * C_OUT)
    crossover, margin = two_poles(unity, summing, output)
    # on paper: 89.6 kHz and 87 deg with a line's 32 fF; 55.9 kHz and 37 deg with 3.9 nF
    assert (round(margin) == 37) if c_line > 1e-9 else (round(margin) == 87)
    assert_allclose(one.noise_gain, noise_gain, rtol=1e-3)
    assert_allclose(one.gain.crossover, crossover, rtol=0.01)
    assert_allclose(one.gain.margin, margin, atol=1.0)  # deg
    assert one.output == pytest.approx(0.0, abs=1e-6)  # V


def test_buffer_on_a_heavy_bit_line(measure):
    """1 nF behind the clamp's 1 kohm, 1 mS: 283 kHz and 36.5 deg on paper, the poles taken one by one."""
    (one,) = measure("follower", Surroundings(drive=0.0, r_drive=1.0, load=Line(g=1e-3, c=1e-9)))
    assert_allclose(one.gain.crossover, 283e3, rtol=0.03)
    assert_allclose(one.gain.margin, 36.5, atol=2.0)  # deg
    assert_allclose(one.noise_gain, 2.0, rtol=1e-3)


def test_relu_drives_its_line_through_a_diode(measure):
    """At -0.2 V into 1 mS: 0.24 mA, so 206 ohm of diode and 385 of op-amp before the 1 kohm and the line."""
    places = [Surroundings(drive=volts / 10.0, r_drive=1e3, load=Line(g=1e-3), parameters={"r_f": 10e3})
              for volts in (0.2, 0.0, -0.2)]
    on, crossover, off = measure("relu_tia", *places)
    line = parallel(1e3, 10e3 + 1e3)
    assert_allclose(on.gain.crossover, GBW / 11 * line / (line + 1e3 + 206 + 385), rtol=0.03)
    assert min(on.gain.margin, off.gain.margin) > 80  # deg: nothing but the op-amp's own poles
    assert off.noise_gain < on.noise_gain < 50 < crossover.noise_gain  # both diodes off: there is hardly a loop
    assert on.output < -0.5 < 0.2 < off.output  # V, op-amp


def test_integrator_waiting_is_a_unity_gain_buffer(measure):
    """S2 closes the op-amp on itself; 41 pF of switches and input beside c_out: 57.5 deg by the part's own formula."""
    parameters = {"r_in": 1e5, "c_int": 1e-7, "v_hold": 0.1}
    waiting, running = measure("ivp_integrator", *(
        Surroundings(drive=0.1, r_drive=Z_O, c_input=C_OUT, load=Line(g=1e-3), parameters=parameters | {"sel": sel})
        for sel in (0.0, 2.5)))
    assert_allclose(waiting.gain.margin, 57.5, atol=1.0)  # deg
    assert_allclose(running.output, 0.1, atol=1e-3)  # V, held where it was asked to
    assert_allclose(running.noise_gain, abs(1 + 1 / (2j * np.pi * 1e3 * 1e5 * 1e-7)), rtol=1e-3)  # at 1 kHz


def test_double_injection_finds_the_loaded_loop():
    """Network of 1 kohm against an input of 9 pF: T = a beta / (1 + z y) of both single injections."""
    f = np.geomspace(1e3, 1e8, 11)
    forward, zy = 11e6 / (1j * f), 2j * np.pi * f * 9e-12 * 1e3
    v_y, v_x = -(forward + zy), np.ones_like(f)
    i_x = 1 / (1 + (1 + forward) / zy)
    assert_allclose(loop_gain(v_y, v_x, i_x), forward / (1 + zy), rtol=1e-12)


def test_margins_of_a_loop_known_in_closed_form():
    f = np.geomspace(1.0, 1e8, 321)
    integrator = LoopGain(frequency=f, value=1e5 / (1j * f))
    assert_allclose([integrator.crossover, integrator.margin], [1e5, 90.0], rtol=1e-6)
    assert integrator.gain_margin == np.inf
    # unity at f_2 of three equal poles: -60 deg each, |T| = 8 / 8; three poles reach -180 deg at sqrt(3) f_2
    three = LoopGain(frequency=f, value=4.0 / (1 + 1j * f / 1e4) ** 3)
    assert_allclose(three.gain_margin, 2.0, rtol=5e-3)
    assert_allclose(three.margin, 180 - 3 * np.degrees(np.arctan(np.sqrt(4 ** (2 / 3) - 1))), atol=0.1)
    dead = LoopGain(frequency=f, value=np.full(f.size, 0.5 + 0j))
    assert dead.margin == np.inf and np.isnan(dead.crossover)


def test_step_response_and_settling_in_closed_form():
    f = np.geomspace(1.0, 1e8, 321)
    first = LoopGain(frequency=f, value=1e5 / (1j * f))
    t = np.geomspace(1e-7, 2e-5, 40)
    assert_allclose(first.step_response(t), 1 - np.exp(-2 * np.pi * 1e5 * t), atol=3e-4)  # of the step
    assert_allclose(first.settling, np.log(1000) / (2 * np.pi * 1e5), rtol=0.05)
    # T = w_n^2 / (s (s + 2 zeta w_n)), zeta 0.3: a margin of 33 deg
    s, w_n, zeta = 2j * np.pi * f, 2 * np.pi * 1e5, 0.3
    second = LoopGain(frequency=f, value=w_n**2 / (s * (s + 2 * zeta * w_n)))
    damped = w_n * np.sqrt(1 - zeta**2)
    expected = 1 - np.exp(-zeta * w_n * t) * (np.cos(damped * t) + zeta * w_n / damped * np.sin(damped * t))
    assert_allclose(second.step_response(t), expected, atol=1e-3)  # of the step


def test_settling_is_that_of_a_transient(measure, tmp_path):
    """The TIA of 37 deg, closed, stepped by 1 uA into its summing node."""
    place = Surroundings(drive=0.0, r_drive=1e3, c_input=3.9e-9, load=Line(g=1e-4), parameters={"r_f": 10e3})
    (one,) = measure("tia", place)
    (tmp_path / "parts").mkdir(exist_ok=True)
    (tmp_path / "parts" / "opa4990.lib").write_text(part_path("opa4990").read_text())
    (tmp_path / "step.cir").write_text("""* step
.include parts/opa4990.lib
v_cc vcc 0 2.5
v_ee vee 0 -2.5
i_step 0 sl pwl(0 0 1u 0 1.001u 1u)
r_drive sl 0 1e3
c_line sl 0 3.9e-9
r_f sl out 10e3
r_load out 0 10e3
xop 0 sl vcc vee out opa4990
.options klu
.save v(out)
.tran 50n 120u 0 50n
.end
""")
    waveforms = run(Job(deck=tmp_path / "step.cir", timeout=60)).waveforms
    t = np.geomspace(1e-6, 1e-4, 60)
    end = waveforms["v(out)"][-1]
    assert_allclose(end, -10e-3, rtol=1e-3)  # V
    response = waveforms.resample("v(out)", t + 1e-6) / end
    assert_allclose(one.gain.step_response(t), response, atol=5e-3)  # of the step; the source's 1 ns, feedthrough at the start
    fine = np.linspace(0, 1.1e-4, 20000)
    outside = fine[np.abs(waveforms.resample("v(out)", fine + 1e-6) / end - 1) > 1e-3][-1]
    assert_allclose(one.gain.settling, outside, rtol=0.1)


@pytest.mark.parametrize(("c_load", "rings"), [(1e-12, False), (3.2e-9, True)])
def test_a_negative_margin_oscillates(measure, tmp_path, c_load, rings):
    """A neuron with 3.2 nF on its source line: 29 deg alone, under 0 with as much on its bit line; kicked, it tells."""
    place = Surroundings(drive=0.046, r_drive=2.3e3, c_input=3.2e-9, load=Line(g=5e-4, c=c_load), parameters={"r_f": 1e4})
    (one,) = measure("relu_tia", place)
    assert (one.gain.margin < 0) == rings
    body = loop_deck("kick", "relu_tia", [place]).files()
    card = "v_kick kick 0 pwl(0 0 10u 0 10.1u 0.1)\nr_kick kick xv0.sl 50e3\n.save v(xv0.line)\n.tran 100n 600u 0 100n"
    deck = [line for line in body["kick.cir"].splitlines() if not line.startswith((".save", ".op", "xi0"))]
    body["kick.cir"] = "\n".join(card if line.startswith(".ac") else line for line in deck) + "\n"
    write_files(tmp_path, body)
    waveforms = run(Job(deck=tmp_path / "kick.cir", timeout=60)).waveforms
    late = waveforms["v(xv0.line)"][waveforms.time > 500e-6]
    assert (np.ptp(late) > 0.1) == rings  # V; the signal is 0.2 V
    assert rings or np.ptp(late) < 1e-6


def test_a_line_is_the_sum_of_its_cells():
    rng = np.random.default_rng(5)
    spec = LayerSpec(name="hidden_1", n_inputs=20, n_outputs=40, bias=True, relu=True, r_f=1e4,
                     wires=Wires(resistance=1e-6, capacitance=2e-15), r_board=1e-6)
    tiles = [rng.uniform(20e-6, 100e-6, (32, 32)) for _ in spec.tiles]
    lines = layer_lines(spec, tiles, stray=3e-12)
    cells = [1 / (1 / g + SelectTransistor().on_resistance()) for g in tiles]
    # 42 bit lines: two columns of tiles; the second has its unused bit lines on ground, and they load the source lines too
    assert_allclose(lines.sources[35].g, cells[2][3].sum() + cells[3][3].sum(), rtol=1e-4)
    assert_allclose(lines.bits[33].g, cells[1][:, 1].sum() + cells[3][:8, 1].sum(), rtol=1e-4)
    assert_allclose([lines.sources[0].c, lines.bits[41].c], 2 * (32 * 2e-15 + 3e-12))
    assert (len(lines.sources), len(lines.bits)) == (40, 42)


def test_wires_take_a_little_off_a_line():
    g = np.full((32, 32), 100e-6)
    spec = LayerSpec(name="output", n_inputs=15, n_outputs=4, bias=True, relu=False, r_f=1e4, last=True)
    whole, r_on = layer_lines(spec, [g]).sources[0].g, SelectTransistor().on_resistance()
    assert whole == port_network(g, selected=np.arange(32) < 4, wires=Wires(), r_on=r_on)[32].sum()
    assert 0.8 < whole * (1 / 100e-6 + r_on) / 32 < 1.0


def test_only_a_stage_with_one_op_amp_has_a_loop():
    with pytest.raises(CircuitError, match="clamp has 0 op-amps"):
        probed(clamp())
    with pytest.raises(CircuitError, match="no stage named 'nand'"):
        loop_deck("d", "nand", [])
    assert probed(tia()).block.name == "tia_probed"
