# default_hugepagesz= takes what hugepages= said before it.
machine nodes=2 node_mem=3G kernel_args="hugepages=1 default_hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=0:3,1:4 hugepagesz=1G hugepages=7"
pool 2M all 8
pool 1G all 0
pool 2M all 9
