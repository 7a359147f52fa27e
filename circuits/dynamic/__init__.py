"""Dynamic devices: what a network of devices is made of, behind one interface, one device a file.

``device`` says what every device can do. ``deck_device`` runs a circuit in ngspice, ``equation_device`` an equation in numpy,
and ``data_device`` holds what somebody measured. ``catalogue`` lists the devices that come with the project.
"""
