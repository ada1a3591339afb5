# vm.max_map_count: which calls it refuses, with which errno, and which VMAs become one again (vma_merge).
# A process of the recorder begins with 10 VMAs. Each probe, a page mapped in vain and then with success,
# one more each time, shows how many there are.
machine nodes=1 node_mem=512M kernel_args="transparent_hugepage=never"
pool 2M node0 4
spawn p
@p map a 1M anon
sysctl vm.max_map_count 10
@p map x1 4K anon
sysctl vm.max_map_count 11
@p map x1 4K anon
# Split, and one again.
sysctl vm.max_map_count 65530
@p protect a 256K 256K r
sysctl vm.max_map_count 13
@p map x2 4K anon
sysctl vm.max_map_count 14
@p map x2 4K anon
@p protect a 256K 256K rw
sysctl vm.max_map_count 12
@p map x3 4K anon
sysctl vm.max_map_count 13
@p map x3 4K anon
# At the limit.
sysctl vm.max_map_count 14
@p map b 64K anon
@p map c 64K anon
@p map s 64K shmem
@p map h 2M hugetlb-2M
@p protect a 256K 256K r
@p protect a 0 256K none
@p protect a 0 1M r
@p advise a 0 256K nohugepage
@p bind a bind:0
@p unmap a 256K 256K
@p unmap a 0 256K
@p unmap a 768K 256K
# The first of two splits is done.
sysctl vm.max_map_count 16
@p protect a 384K 128K rw
sysctl vm.max_map_count 15
@p map x4 4K anon
sysctl vm.max_map_count 16
@p map x4 4K anon
sysctl vm.max_map_count 18
@p protect a 256K 512K rw
sysctl vm.max_map_count 15
@p map x5 4K anon
sysctl vm.max_map_count 16
@p map x5 4K anon
@p unmap a
@p unmap b
sysctl vm.max_map_count 14
@p map x6 4K anon
sysctl vm.max_map_count 15
@p map x6 4K anon
# One half without, one with pages.
sysctl vm.max_map_count 65530
@p map t 1M anon
@p protect t 0 512K r
@p touch t 512K 512K
@p protect t 0 512K rw
sysctl vm.max_map_count 16
@p map x7 4K anon
sysctl vm.max_map_count 17
@p map x7 4K anon
@p unmap t
sysctl vm.max_map_count 65530
@p map u 1M anon
@p protect u 512K 512K r
@p touch u 0 512K
@p protect u 512K 512K rw
sysctl vm.max_map_count 17
@p map x8 4K anon
sysctl vm.max_map_count 18
@p map x8 4K anon
@p unmap u
sysctl vm.max_map_count 65530
@p map w 1M anon
@p protect w 0 512K r
@p touch w 512K 512K
@p protect w 512K 512K r
sysctl vm.max_map_count 19
@p map x9 4K anon
sysctl vm.max_map_count 20
@p map x9 4K anon
@p protect w 0 1M rw
sysctl vm.max_map_count 20
@p map x10 4K anon
sysctl vm.max_map_count 21
@p map x10 4K anon
@p unmap w
# Each half with an anon_vma of its own, and one between two.
sysctl vm.max_map_count 65530
@p map i 1M anon
@p advise i 512K 512K nohugepage
@p touch i
@p advise i 0 512K nohugepage
sysctl vm.max_map_count 21
@p map x11 4K anon
sysctl vm.max_map_count 22
@p map x11 4K anon
@p unmap i
sysctl vm.max_map_count 65530
@p map j 1M anon
@p protect j 256K 512K none
@p touch j
@p protect j 256K 512K rw
sysctl vm.max_map_count 22
@p map x12 4K anon
sysctl vm.max_map_count 23
@p map x12 4K anon
@p unmap j
sysctl vm.max_map_count 65530
@p map k 1M anon
@p protect k 512K 512K r
@p touch k 0 4K
@p protect k 0 512K none
@p protect k 512K 512K rw
@p touch k 512K 4K
@p protect k 0 512K rw
sysctl vm.max_map_count 22
@p map x13 4K anon
sysctl vm.max_map_count 23
@p map x13 4K anon
@p unmap k
# A hole between does not let them become one.
sysctl vm.max_map_count 65530
@p map l 1M anon
@p unmap l 256K 256K
@p advise l 0 1M nohugepage
@p protect l 0 1M r
sysctl vm.max_map_count 24
@p map x14 4K anon
sysctl vm.max_map_count 25
@p map x14 4K anon
@p unmap l
# Shared memory, huge pages.
sysctl vm.max_map_count 65530
@p map s 1M shmem
@p protect s 512K 512K r
@p protect s 512K 512K rw
sysctl vm.max_map_count 24
@p map x15 4K anon
sysctl vm.max_map_count 25
@p map x15 4K anon
@p unmap s
sysctl vm.max_map_count 65530
@p map h 8M hugetlb-2M
@p protect h 2M 2M r
@p protect h 2M 2M rw
sysctl vm.max_map_count 27
@p map x16 4K anon
sysctl vm.max_map_count 28
@p map x16 4K anon
@p protect h 0 8M r
sysctl vm.max_map_count 28
@p map x17 4K anon
sysctl vm.max_map_count 29
@p map x17 4K anon
sysctl vm.max_map_count 65530
@p protect h 1M 1M rw
@p protect h 0 1M rw
@p unmap h 5M 1M
sysctl vm.max_map_count 30
@p protect h 5M 1M rw
@p unmap h 5M 1M
@p unmap h 6M 2M
sysctl vm.max_map_count 29
@p map x18 4K anon
sysctl vm.max_map_count 30
@p map x18 4K anon
@p unmap h
# A child: pages of its parent keep halves apart that are one in the parent.
sysctl vm.max_map_count 65530
@p map f 1M anon
@p touch f
@p map g 1M anon
@p map o 1M anon
@p protect o 512K 512K r
@p touch o 0 4K
sysctl vm.max_map_count 65530
@p fork q
sysctl vm.max_map_count 31
@q map x19 4K anon
sysctl vm.max_map_count 32
@q map x19 4K anon
sysctl vm.max_map_count 65530
@q protect f 512K 512K r
sysctl vm.max_map_count 33
@q map x20 4K anon
sysctl vm.max_map_count 34
@q map x20 4K anon
@q protect f 512K 512K rw
sysctl vm.max_map_count 33
@q map x21 4K anon
sysctl vm.max_map_count 34
@q map x21 4K anon
sysctl vm.max_map_count 65530
@q protect g 512K 512K r
@q touch g 0 4K
@q protect g 512K 512K rw
sysctl vm.max_map_count 34
@q map x22 4K anon
sysctl vm.max_map_count 35
@q map x22 4K anon
@q protect o 512K 512K rw
sysctl vm.max_map_count 35
@q map x23 4K anon
sysctl vm.max_map_count 36
@q map x23 4K anon
@p protect o 512K 512K rw
sysctl vm.max_map_count 30
@p map x24 4K anon
sysctl vm.max_map_count 31
@p map x24 4K anon
# What is written.
sysctl vm.max_map_count -1
sysctl vm.max_map_count 2147483648
sysctl vm.max_map_count 2147483647
sysctl vm.max_map_count 0
@p map z 4K anon
@p touch f
@p unmap f
@q exit
@p exit
