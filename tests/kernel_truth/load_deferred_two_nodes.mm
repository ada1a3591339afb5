# The pages of the node that is short are split, those of the other stay whole.
# tolerance 4%
machine nodes=2 node_mem=768M
sysctl vm.overcommit_memory 1
spawn p
@p cpu 0
@p map a 300M anon thp=hugepage
@p touch a
@p advise a 0 300M dontneed 16K
spawn o
@o cpu 1
@o map a 300M anon thp=hugepage
@o touch a
@o advise a 0 300M dontneed 16K
spawn q
@q cpu 0
@q map b 430M anon thp=nohugepage policy=bind:0
@q touch b
sleep 300
@q exit
