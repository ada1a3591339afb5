# Gigantic pages come from memblock, which takes another node's memory where the wanted node has none.
machine nodes=2 node_mem=2560M,4G kernel_args="hugepagesz=1G hugepages=0:2,1:1 hugepagesz=2M hugepages=3"
pool 1G all 0
pool 1G all 1
pool 1G node1 2
pool 2M all 4
pool 2M all 0
