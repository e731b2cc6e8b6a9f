"""Int8 networks as linalg text, with seeded parameters and a numpy reference of every layer.

By subject:

    by name, and as a class  catalogue, network
    layers                   core, convolutions, products, pooling, elementwise, layouts, floats, reference
    networks                 mlp, vgg, resnet, mobilenet, shufflenet, squeezenet, densenet, yolo, unet, dcgan,
                             recurrent, transformer, mixer
"""
